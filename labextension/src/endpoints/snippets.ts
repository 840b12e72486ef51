import { shell } from './console';

/** A request of an application outside, which shows a key. */
export interface IOutsideCall {
  url: string;
  contentType: string;
  body: string;
}

/** The call as programs without an AWS client make it; the key comes from the environment. */
export const OUTSIDE: {
  id: string;
  name: string;
  text: (call: IOutsideCall) => string;
}[] = [
  { id: 'curl', name: 'curl', text: curl },
  { id: 'python', name: 'Python', text: python },
  { id: 'javascript', name: 'JavaScript', text: javascript }
];

function curl(call: IOutsideCall): string {
  return [
    `curl ${shell(call.url)}`,
    '  -H "X-Api-Key: $STUDIO_KEY"',
    `  -H ${shell(`Content-Type: ${call.contentType}`)}`,
    `  --data-binary ${shell(call.body)}`
  ].join(' \\\n');
}

function python(call: IOutsideCall): string {
  return `import os
import urllib.request

request = urllib.request.Request(
    ${JSON.stringify(call.url)},
    data=${JSON.stringify(call.body)}.encode(),
    headers={
        "X-Api-Key": os.environ["STUDIO_KEY"],
        "Content-Type": ${JSON.stringify(call.contentType)},
    },
)
with urllib.request.urlopen(request) as answer:
    print(answer.read().decode())
`;
}

function javascript(call: IOutsideCall): string {
  return `const answer = await fetch(${JSON.stringify(call.url)}, {
  method: 'POST',
  headers: {
    'X-Api-Key': process.env.STUDIO_KEY,
    'Content-Type': ${JSON.stringify(call.contentType)}
  },
  body: ${JSON.stringify(call.body)}
});
if (!answer.ok) {
  throw new Error(\`\${answer.status} \${await answer.text()}\`);
}
console.log(await answer.text());
`;
}
