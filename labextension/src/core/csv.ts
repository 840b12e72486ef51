/**
 * The first rows of a text of separated values; quotes as RFC 4180 has them.
 *
 * A last row without its end is left out unless the text is `whole`.
 */
export function firstRows(
  text: string,
  delimiter: string,
  most: number,
  whole: boolean
): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endRow = () => {
    rows.push([...row, cell]);
    row = [];
    cell = '';
  };
  for (let at = 0; at < text.length && rows.length < most; at++) {
    const character = text[at];
    if (quoted) {
      if (character !== '"') {
        cell += character;
      } else if (text[at + 1] === '"') {
        cell += text[++at];
      } else {
        quoted = false;
      }
    } else if (character === '"' && cell === '') {
      quoted = true;
    } else if (character === delimiter) {
      row.push(cell);
      cell = '';
    } else if (character === '\n') {
      cell = cell.replace(/\r$/, '');
      endRow();
    } else {
      cell += character;
    }
  }
  if (whole && rows.length < most && (row.length || cell)) {
    endRow();
  }
  return rows;
}
