// People in the shop: `SHOP SECONDS VISITORS`. Each looks around, some sign in, some of those buy, some come back.
import { launch } from '../../sdks/web/tests/browser.mjs'

const [shop, seconds, visitors] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const until = Date.now() + seconds * 1000
const products = ['lamp', 'chair', 'table']
const told = { visitors: 0, views: 0, signups: 0, purchases: 0, errors: [] }
const browser = await launch()

async function visit(number) {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('domcontentloaded', () => page.url().startsWith(shop) && told.views++)
  page.on('pageerror', (error) => told.errors.push(String(error)))
  await page.goto(`${shop}/?utm_source=${['search', 'newsletter'][number % 2]}`)
  told.visitors++
  const product = products[number % products.length]
  await page.click(`a[href="/products/${product}"]`)
  if (number % 3) {
    await page.click('a[href="/sign-in"]')
    await page.fill('input[name=email]', `person${number}@shop.example`)
    await Promise.all([page.waitForURL(`${shop}/`), page.click('#enter')])
    told.signups++
    if (number % 3 === 2) {
      await page.click(`a[href="/products/${product}"]`)
      await page.click('#buy')
      await page.waitForSelector('#thanks')
      told.purchases++
    }
  }
  await page.waitForLoadState()
  // A context that is closed stops what its pages were sending, as a closed tab does not.
  await page.evaluate(() => window.visits.flush())
  await context.close()
}

for (let number = 0; number < visitors && Date.now() < until; number++) await visit(number)
await browser.close()
console.log(JSON.stringify(told))
