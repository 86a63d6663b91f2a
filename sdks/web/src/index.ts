import { Footfall } from './footfall'
import type { Options } from './types'

export { Footfall }
export type { DropReason, Event, Limits, Options, Properties, Stats } from './types'

/** Begin: `const footfall = init('ffw_…', { host: 'https://footfall.example' })`. Once a page. */
export function init(key: string, options?: Options): Footfall {
  return new Footfall(key, options)
}
