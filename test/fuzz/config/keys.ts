/** One key of the configuration: YAML texts of values with what they mean, and texts that it must not have. */
export interface Key {
  readonly path: string;
  readonly valid: readonly (readonly [yaml: string, means: unknown])[];
  readonly invalid: readonly string[];
}

/** What no key of text, number or choice may be. */
const odd = ['', '~', '[a]', '{ a: b }', 'true', '!!binary AAAA'];
const minutes = 60_000;
const self = (...words: readonly string[]) => words.map((word) => [word, word] as const);

function key(path: string, valid: Key['valid'], invalid: readonly string[], others = odd): Key {
  return { path, valid, invalid: [...invalid, ...others] };
}

const file = (path: string) =>
  key(
    path,
    [...self('a.json', '/etc/a', '../a', 'é'), ['"a b"', 'a b'], ["'a: b'", 'a: b'], ['~/a', '~/a']],
    ['""', '5', `'{"kty":"OKP"}'`, '"a\\nb"', `'${'a'.repeat(1025)}'`],
  );
const duration = (path: string, valid: Key['valid'], invalid: readonly string[]) =>
  key(path, valid, [...invalid, '60', '1.5s', '"1 s"', '1S', '-1s', 's', '1w', '1e3ms']);
const count = (path: string, valid: readonly number[], invalid: readonly string[]) =>
  key(
    path,
    valid.map((value) => [String(value), value]),
    [...invalid, '1.5', '"1"', 'x', '.inf', '.nan', '1e400'],
  );
const choice = (path: string, ...words: readonly string[]) => {
  const alike = words.flatMap((word) => [word.toUpperCase(), word.toLowerCase(), `"${word} "`, `${word}s`]);
  return key(
    path,
    words.flatMap((word) => [[word, word] as const, [`"${word}"`, word] as const]),
    [...alike.filter((word) => !words.includes(word)), '0', 'yes', 'none'],
  );
};
const lists = (path: string, valid: Key['valid'], invalid: readonly string[]) =>
  key(path, valid, [...invalid, 'x', '{ a: b }', '[[]]', '[5]', '[~]', '[""]'], ['', '~', 'true']);
const url = (path: string) =>
  key(
    path,
    [
      ...self('https://a.example.com', 'http://127.0.0.1:4318'),
      ['https://A.example.com/', 'https://a.example.com'],
      ['"http://[::1]:1"', 'http://[::1]:1'],
    ],
    [
      'http://a.example.com',
      'https://u:p@a.example.com',
      'https://a.example.com?x',
      'https://a.example.com/#',
      'a.example.com',
      'ftp://a',
      'unix:/a',
    ],
  );

/** The keys of every section in the first of them; those of one section beside it. */
export const keys: readonly Key[] = [
  file('identity'),
  file('lock.file'),
  choice('lock.onExpired', 'serve', 'refuse'),
  file('trust.file'),
  count('trust.threshold', [1, 2, 16], ['0', '17', '-1']),
  file('state'),
  key('https.ca', self('ca.pem'), ['""', '5']),
  key('aws.region', self('eu-central-1', 'us-gov-west-1'), ['EU-central-1', 'eu-central', '""']),
  key('aws.role', self('arn:aws:iam::123456789012:role/a/b', 'arn:aws-cn:iam::123456789012:role/a'), [
    'arn:aws:iam::123456789012:user/a',
    'arn:aws:iam::1:role/a',
    'a',
  ]),
  duration(
    'aws.watch',
    [
      ['1s', 1000],
      ['60s', minutes],
      ['15m', 15 * minutes],
    ],
    ['0s', '999ms', '16m', '1h'],
  ),
  url('aws.endpoint'),
  url('aws.stsEndpoint'),
  file('cloudflare.tokenFile'),
  key('cloudflare.account', self('0123456789abcdef0123456789abcdef'), [
    '0123456789ABCDEF0123456789ABCDEF',
    '0123',
    '""',
  ]),
  url('cloudflare.endpoint'),
  key(
    'local.memory',
    [
      ['16MiB', 2 ** 24],
      ['4GiB', 2 ** 32],
      ['262144KiB', 2 ** 28],
    ],
    ['15MiB', '5GiB', '256', '256MB', '256mib'],
  ),
  url('tracing.otlp'),
  key(
    'ipfilter.use',
    [
      ['office', 'office@live'],
      ['a@b', 'a@b'],
      ['a-1', 'a-1@live'],
    ],
    ['Office', '"@live"', '"a@"', 'a@b@c', '5', '"a b"', 'é'],
  ),
  duration(
    'ipfilter.timeout',
    [
      ['10ms', 10],
      ['800ms', 800],
      ['80s', 80_000],
      ['1m', minutes],
    ],
    ['9ms', '81s', '0s'],
  ),
  choice('ipfilter.integrity.require', 'platform', 'observed', 'claimed'),
  choice('ipfilter.pin', 'version-url'),
  key(
    'ipfilter.metrics.listen',
    [...self('127.0.0.1:9464', 'unix:/run/a.sock'), ['"[::1]:9464"', '[::1]:9464']],
    [
      '0.0.0.0:9464',
      'localhost:9464',
      '":9464"',
      '9464',
      '127.0.0.1',
      '127.0.0.1:0',
      '127.0.0.1:65536',
      'unix:a.sock',
      '"[::]:1"',
      '10.0.0.1:9464',
    ],
  ),
  choice('ipfilter.onUnavailable', 'deny', 'allow'),
  lists(
    'ipfilter.alwaysAllow',
    [
      ['[]', []],
      ['[10.0.0.0/8]', ['10.0.0.0/8']],
      ['["::1"]', ['::1']],
      ['\n- 192.0.2.1', ['192.0.2.1']],
    ],
    ['[10.0.0.0/33]', '[10.0.0.1/8]', '[localhost]', '["::1/129"]', '["fe80::1%eth0"]', '[10.0.0.0/8 ,x]'],
  ),
  count('ipfilter.maxUnanswered', [1, 1000, 100_000], ['0', '100001', '-1']),
  count('ipfilter.cache.entries', [0, 1, 10_000_000], ['-1', '10000001']),
  key(
    'ipfilter.cache.bytes',
    [
      ['32MiB', 2 ** 25],
      ['16GiB', 2 ** 34],
      ['0B', 0],
    ],
    ['17GiB', '32', '-1B'],
  ),
  duration(
    'ipfilter.cache.staleIfError',
    [
      ['0s', 0],
      ['24h', 1440 * minutes],
      ['1d', 1440 * minutes],
    ],
    ['25h', '2d'],
  ),
  count('ipfilter.cache.widestScope.ipv4', [0, 16, 32], ['-1', '33']),
  count('ipfilter.cache.widestScope.ipv6', [0, 32, 128], ['-1', '129']),
  choice('auth.send', 'minimal', 'full'),
  lists(
    'auth.ceiling.homes',
    [
      ['[/srv]', ['/srv']],
      ['[/srv/sftp, "/a b"]', ['/srv/sftp', '/a b']],
    ],
    ['[srv]', '[/]', '[/srv/]', '[/srv/../etc]', '[/srv//a]', '[/srv/.]', '["/srv\\\\a"]'],
  ),
  lists(
    'auth.ceiling.permissions',
    [
      ['[list, upload]', ['list', 'upload']],
      ['["*"]', ['*']],
      ['[]', []],
    ],
    ['[write]', '[List]', '["**"]'],
  ),
  lists('auth.ceiling.providers', [['[local, s3]', ['local', 's3']]], ['[ftp]', '[S3]', '[0]']),
  lists(
    'auth.ceiling.buckets',
    [
      ["['team-*', x]", ['team-*', 'x']],
      ["['*']", ['*']],
    ],
    ["['*x']", "['a*b']", "['**']", "['a**']"],
  ),
  lists(
    'auth.ceiling.fields',
    [['[email, quota_size]', ['email', 'quota_size']]],
    [
      '[password]',
      '[role]',
      '[filters.hooks.external_auth_disabled]',
      '[filters.is_anonymous]',
      '[home_dir]',
      '[public_keys]',
    ],
  ),
  choice('auth.ceiling.onExcess', 'refuse'),
  choice('auth.keyboardInteractive.withoutQuestion', 'refuse', 'accept'),
  choice('kms.scheme', 'awskms', 'gcpkms', 'hashivault'),
  choice('kms.encryptedStatus', 'AWS', 'GCP'),
  duration(
    'kms.decryptCache.ttl',
    [
      ['0s', 0],
      ['5m', 5 * minutes],
    ],
    ['301s', '6m'],
  ),
  key(
    'notifier.instance',
    [...self('node1', 'a-b'), ['"a b"', 'a b']],
    ['" a"', '"a "', '"é"', '""', '5', `"${'a'.repeat(129)}"`],
  ),
  duration(
    'notifier.retry.maxTime',
    [
      ['60s', minutes],
      ['7d', 7 * 1440 * minutes],
    ],
    ['59s', '0s'],
  ),
  count('notifier.retry.queue', [0, 1, 10_000_000], ['-1', '10000001']),
  lists(
    'notifier.events.fs',
    [
      ['[upload]', ['upload']],
      ['[]', []],
    ],
    ['[uploads]', '[Upload]'],
  ),
  lists('notifier.events.log', [['[LoginOK]', ['LoginOK']]], ['[loginOK]', '[1]']),
  duration('eventsearcher.timeout', [['10s', 10_000]], ['9ms']),
  choice('metadata.integrity.require', 'platform', 'observed', 'claimed'),
];

/** The least that a section must have beside a key of it. */
export const required: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cloudflare: { account: '0123456789abcdef0123456789abcdef', tokenFile: 'cloudflare.token' },
  auth: { use: 'team' },
  kms: { use: 'vault' },
  ipfilter: { use: 'office' },
  notifier: { use: 'events', instance: 'node1' },
  eventsearcher: { use: 'search' },
  metadata: { use: 'mtimes' },
};

/** The least that every configuration must have. */
export const base: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  identity: 'adapter.key.json',
  lock: { file: 'bundles.lock.json' },
  trust: { file: 'signers.jwks.json' },
};
