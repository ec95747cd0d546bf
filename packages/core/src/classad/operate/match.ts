// The ads that HTCondor builds around the two ads of a match. Their names, such as TARGET,
// are found like any other.
import { makeAd, type AdExpr, type AttributeExpr, type Entry } from '../language/ast.ts';
import { lowerAscii } from '../language/bytes.ts';
import type { Semantics } from '../language/parse.ts';
import type { Scope } from '../language/value.ts';

/** The scope of the own ad in a match, and the scope of each ad in the outermost one. */
export interface Match {
  readonly scope: Scope;
  readonly places: ReadonlyMap<AdExpr, Scope>;
}

/**
 * Builds the ads of a match: the outermost one with both ads, and around each of these an
 * ad that defines `my`, `target`, `other` and `ad`.
 */
export function matchOf(my: AdExpr, target: AdExpr, semantics: Semantics): Match {
  // Copies, because one ad may be on both sides.
  const [left, right] = [{ ...my }, { ...target }];
  const [lCtx, rCtx] = [contextAd('LEFT', 'RIGHT'), contextAd('RIGHT', 'LEFT')];
  const root: Scope = { ad: outermostAd(left, right, lCtx, rCtx), parent: undefined };
  const leftContext: Scope = { ad: lCtx, parent: root };
  const rightContext: Scope = { ad: rCtx, parent: root };
  const own: Scope & { alternate?: Scope } = { ad: left, parent: leftContext };
  const other: Scope & { alternate?: Scope } = { ad: right, parent: rightContext };
  if (semantics === 'old') [own.alternate, other.alternate] = [other, own];
  return {
    scope: own,
    places: new Map([
      [left, own],
      [right, other],
      [lCtx, leftContext],
      [rCtx, rightContext],
    ]),
  };
}

function outermostAd(left: AdExpr, right: AdExpr, lCtx: AdExpr, rCtx: AdExpr): AdExpr {
  const [mine, theirs] = [named('LEFT'), named('RIGHT')];
  const leftMatches = named('requirements', mine);
  const rightMatches = named('requirements', theirs);
  return makeAd([
    {
      name: 'symmetricMatch',
      expr: { kind: 'binary', operator: '&&', left: rightMatches, right: leftMatches, depth: 3 },
    },
    { name: 'leftMatchesRight', expr: rightMatches },
    { name: 'rightMatchesLeft', expr: leftMatches },
    { name: 'leftRankValue', expr: named('rank', mine) },
    { name: 'rightRankValue', expr: named('rank', theirs) },
    { name: 'lCtx', expr: lCtx },
    { name: 'rCtx', expr: rCtx },
    { name: 'LEFT', expr: left },
    { name: 'RIGHT', expr: right },
  ]);
}

function contextAd(mine: string, theirs: string): AdExpr {
  const reference = (name: string, side: string): Entry => ({
    name,
    expr: { ...named(side), absolute: true },
  });
  return makeAd([
    reference('other', theirs),
    reference('target', theirs),
    reference('my', mine),
    reference('ad', mine),
  ]);
}

function named(name: string, base?: AttributeExpr): AttributeExpr {
  const depth = (base?.depth ?? 0) + 1;
  return { kind: 'attribute', base, name, key: lowerAscii(name), absolute: false, depth };
}
