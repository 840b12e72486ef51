/** The order of names in every list: m2 comes before m10. */
export const { compare: byName } = new Intl.Collator(undefined, {
  numeric: true
});
