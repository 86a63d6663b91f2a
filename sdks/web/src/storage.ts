/** localStorage that may be full, forbidden or not there, in which case a page remembers until it ends. */
export class Storage {
  private readonly memory = new Map<string, string>()

  constructor(
    private readonly prefix: string,
    private readonly persist: boolean,
  ) {}

  get<T>(name: string): T | null {
    const key = this.prefix + name
    try {
      const text = this.memory.get(key) ?? (this.persist ? localStorage.getItem(key) : null)
      return text === null ? null : (JSON.parse(text) as T)
    } catch {
      return null
    }
  }

  set(name: string, value: unknown): void {
    const key = this.prefix + name
    const text = JSON.stringify(value)
    try {
      if (!this.persist) throw 0
      localStorage.setItem(key, text)
      this.memory.delete(key)
    } catch {
      this.memory.set(key, text)
    }
  }

  remove(name: string): void {
    this.memory.delete(this.prefix + name)
    try {
      if (this.persist) localStorage.removeItem(this.prefix + name)
    } catch {
      // what cannot be reached cannot be removed
    }
  }

  /** The names in localStorage that begin so. */
  names(beginning: string): string[] {
    const start = this.prefix + beginning
    try {
      const keys = this.persist ? Object.keys(localStorage) : []
      return keys.filter((key) => key.startsWith(start)).map((key) => key.slice(this.prefix.length))
    } catch {
      return []
    }
  }
}
