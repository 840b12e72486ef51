import React from 'react';

import { useStudio } from '../components/hooks';
import { Code, Copyable, Section } from '../components/parts';
import { Scroll } from '../components/scroll';
import type { studio } from '../wire';

const METHOD = 'POST';
const FORMAT = 'OpenAPI 3.1';

/** What of an OpenAPI document is shown. */
interface IOperation {
  parameters: { name: string; description: string }[];
  requestBody: { content: Record<string, unknown> };
  responses: Record<string, { description: string }>;
}

/** The operations of a document, by path; those of Studio have one. */
export function operationsOf(text: string): [string, IOperation][] {
  const document = JSON.parse(text) as {
    paths: Record<string, { post: IOperation }>;
  };
  return Object.entries(document.paths).map(([path, { post }]) => [path, post]);
}

/** What an endpoint takes and answers, as its OpenAPI document says. */
export function Described(props: {
  api: studio.DescribeEndpointApiResponse;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [whole, setWhole] = React.useState(false);
  const { api } = props;
  return (
    <Section
      title={trans.__('What it takes')}
      actions={
        <button
          className="jp-StudioButton jp-mod-minimal"
          aria-expanded={whole}
          onClick={() => setWhole(!whole)}
        >
          {whole ? trans.__('Hide OpenAPI') : trans.__('Show OpenAPI')}
        </button>
      }
    >
      {operationsOf(api.Document).map(([path, operation]) => (
        <React.Fragment key={path}>
          <p>
            <strong>{METHOD}</strong> <Copyable text={api.Url} />
          </p>
          <Rows
            label={trans.__('Content types')}
            rows={Object.keys(operation.requestBody.content).map(type => [
              type,
              type === '*/*' ? trans.__('Whatever the image takes.') : ''
            ])}
          />
          <Rows
            label={trans.__('Headers that may be sent')}
            rows={operation.parameters.map(it => [it.name, it.description])}
          />
          <Rows
            label={trans.__('Answers')}
            rows={Object.entries(operation.responses).map(([status, it]) => [
              status,
              it.description
            ])}
          />
        </React.Fragment>
      ))}
      {whole && <Code code={api.Document} label={FORMAT} />}
    </Section>
  );
}

function Rows(props: {
  label: string;
  rows: [string, string][];
}): React.JSX.Element {
  return (
    <Scroll label={props.label}>
      <table className="jp-StudioOutside-rows">
        <thead>
          <tr>
            <th scope="col" colSpan={2}>
              {props.label}
            </th>
          </tr>
        </thead>
        <tbody>
          {props.rows.map(([name, text]) => (
            <tr key={name}>
              <td>
                <code>{name}</code>
              </td>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
