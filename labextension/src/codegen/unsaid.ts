/** A comment that names the members of a request that the program before it leaves out. */
export function unsaid(request: object, said: string[]): string[] {
  const left = Object.entries(request)
    .filter(([name, value]) => value !== undefined && !said.includes(name))
    .map(([name]) => name);
  return left.length
    ? [`# The SDK takes no ${left.join(', ')}: use boto3 for that.`]
    : [];
}
