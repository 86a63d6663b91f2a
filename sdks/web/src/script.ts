/** For pages without a bundler: `<script defer src="…/footfall.js" data-key="ffw_…"></script>`. */
import { init } from './index'

const script = document.currentScript as HTMLScriptElement | null
const data = script?.dataset ?? {}
const name = data['name'] || 'footfall'
Object.assign(window, {
  [name]: data['key']
    ? init(data['key'], {
        // The script may well come from where the events go.
        host: data['host'] || new URL(script?.src || location.href).origin,
        path: data['path'] || '/capture',
        pageviews: data['pageviews'] !== 'false',
        pageleaves: (data['pageleaves'] ?? data['pageviews']) !== 'false',
        autocapture: data['autocapture'] === 'true',
        honourSignals: data['honourSignals'] !== 'false',
        persist: data['persist'] !== 'false',
        compress: data['compress'] !== 'false',
      })
    : { init },
})
