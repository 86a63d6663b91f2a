// What a page does with posthog-js; bundled into it as a customer's build would.
import posthog from 'posthog-js'

const { host, key, options } = window.settings
posthog.init(key, {
  api_host: host,
  capture_pageview: 'history_change',
  person_profiles: 'identified_only',
  opt_out_useragent_filter: true, // else it takes a browser under test for a bot, and is silent
  request_queue_config: { flush_interval_ms: 250 },
  ...options,
})
window.posthog = posthog
