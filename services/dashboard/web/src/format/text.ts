export function capitalised(text: string): string {
  return text.replace(/^./, (first) => first.toUpperCase());
}
