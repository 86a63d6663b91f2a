/** What a person is called: the friendliest of what is known. */
export function personName(person: { properties: Record<string, unknown>; distinct_ids: readonly string[]; person_id: string }): string {
  for (const name of ["name", "$name", "email", "$email", "username"]) {
    const value = person.properties[name];
    if (typeof value === "string" && value.trim() !== "") return value;
  }
  const readable = person.distinct_ids.find((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(id));
  return readable ?? person.distinct_ids[0] ?? person.person_id;
}
