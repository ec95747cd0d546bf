// How far two names are apart: the same guess as for templates of the configuration.
export { distance, nearest } from '@credmon/core/base';
