import fc from 'fast-check';

/** What somebody does to a Signature-Input that was good; `covered` and `parameters` are its two halves. */
export type InputChange =
  | { readonly drop: number }
  | { readonly twice: number }
  | { readonly swap: number }
  | { readonly add: string; readonly at: number }
  | { readonly retag: number; readonly suffix: string }
  | { readonly without: string }
  | { readonly set: string; readonly to: string }
  | { readonly also: string }
  | { readonly turn: number }
  | { readonly label: string };

const index = fc.nat({ max: 12 });
const parameter = fc.constantFrom('created', 'expires', 'nonce', 'keyid', 'tag');

/** One change of the list of components, of the parameters, or of the label. */
export const inputChange: fc.Arbitrary<InputChange> = fc.oneof(
  fc.record({ drop: index }),
  fc.record({ twice: index }),
  fc.record({ swap: index }),
  fc.record({
    add: fc.constantFrom(
      '"@status"',
      '"@authority"',
      '"@query"',
      '"date"',
      '"plugin-scope"',
      '"@method";req',
      '""',
      '"',
      ')',
      '\\"',
    ),
    at: index,
  }),
  fc.record({
    retag: index,
    suffix: fc.constantFrom(';req', ';sf', ';bs', ';key="sig"', ';tr', ';name="a"'),
  }),
  fc.record({ without: parameter }),
  fc.record({
    set: parameter,
    to: fc.constantFrom(
      ...[
        '0',
        '-1',
        '1800000000',
        '1800000029',
        '1800000031',
        '1799999970',
        '1799999969',
        '1e9',
        '01800000000',
        '9'.repeat(16),
      ],
      ...[
        '"x"',
        '""',
        '"sftpgo-plugin-call"',
        '"sftpgo-plugin-answer"',
        '"SFTPGO-plugin-call"',
        '?1',
        ':AA==:',
        'sftpgo-plugin-call',
      ],
      `"${'a'.repeat(43)}"`,
    ),
  }),
  fc.record({
    also: fc.constantFrom(
      ';alg="ed25519"',
      ';alg="none"',
      ';alg="hmac-sha256"',
      ';alg=ed25519',
      ';x',
      ';',
      ';created=1',
      ' ;x=1',
    ),
  }),
  fc.record({ turn: fc.nat({ max: 4 }) }),
  fc.record({ label: fc.constantFrom('sig1', 'Sig', 'sig=();sig', '', 'sig ', 'sig=,sig', 'a=1, sig') }),
);

/** The text after a change. */
export function changedInput(input: string, change: InputChange): string {
  const [, label = '', list = '', rest = ''] = /^(sig)=\(([^)]*)\)(.*)$/.exec(input) ?? [];
  let components = list.split(' ');
  let parameters = rest.split(';').slice(1);
  const at = (place: number) => place % components.length;
  if ('label' in change) return `${change.label}=(${list})${rest}`;
  if ('also' in change) return `${label}=(${list})${rest}${change.also}`;
  if ('drop' in change) components = components.filter((_, index) => index !== at(change.drop));
  else if ('twice' in change)
    components = components.flatMap((each, index) => (index === at(change.twice) ? [each, each] : [each]));
  else if ('swap' in change) components = swapped(components, at(change.swap));
  else if ('add' in change) components = components.toSpliced(at(change.at), 0, change.add);
  else if ('retag' in change)
    components = components.map((each, index) => (index === at(change.retag) ? each + change.suffix : each));
  else if ('without' in change)
    parameters = parameters.filter((each) => !each.startsWith(`${change.without}=`));
  else if ('set' in change)
    parameters = parameters.map((each) =>
      each.startsWith(`${change.set}=`) ? `${change.set}=${change.to}` : each,
    );
  else parameters = swapped(parameters, change.turn % parameters.length);
  return `${label}=(${components.join(' ')});${parameters.join(';')}`;
}

/** Two neighbours change places. */
function swapped(list: readonly string[], at: number): string[] {
  const next = (at + 1) % list.length;
  return list.map((each, index) =>
    index === at ? (list[next] ?? each) : index === next ? (list[at] ?? each) : each,
  );
}
