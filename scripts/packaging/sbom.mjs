// The software bill of materials (CycloneDX) of the programs: from what the bundles contain.
import { Enums, Models, SPDX, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { createHash } from 'node:crypto';

/**
 * Returns the SBOM as JSON text. `packages` as `bundledPackages` returns them, `epoch` in
 * seconds: the same packages give the same text.
 */
export function sbomText(packages, { version, epoch }) {
  const spec = Spec.Spec1dot6;
  const bom = new Models.Bom();
  bom.metadata.timestamp = new Date(epoch * 1000);
  const root = new Models.Component(Enums.ComponentType.Application, 'credmon', {
    version,
    bomRef: `credmon@${version}`,
  });
  root.licenses.add(licenceOf('Apache-2.0'));
  bom.metadata.component = root;
  for (const one of packages) {
    const [group, name] = one.name.startsWith('@') ? one.name.split('/') : [undefined, one.name];
    const purl = `pkg:npm/${one.name.replace('@', '%40')}@${one.version}`;
    const component = new Models.Component(Enums.ComponentType.Library, name, {
      group,
      version: one.version,
      description: one.description,
      bomRef: purl,
      purl,
    });
    if (one.license) component.licenses.add(licenceOf(one.license));
    bom.components.add(component);
    root.dependencies.add(component.bomRef);
  }
  const digest = createHash('sha256')
    .update(packages.map(({ name, version: its }) => `${name}@${its}`).join('\n'))
    .digest('hex');
  bom.serialNumber = `urn:uuid:${digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-4$3-8$4-$5')}`;
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(spec));
  return `${serializer.serialize(bom, { sortLists: true, space: 1 })}\n`;
}

function licenceOf(text) {
  return SPDX.isSupportedSpdxId(text)
    ? new Models.SpdxLicense(text)
    : new Models.LicenseExpression(text);
}
