import { accept, ask, askPassword, auth, denyLogin } from 'sftpgo-plugin-serverless/kit';

/** An auth plugin for tests: passwords are the name backwards, a dialogue asks for a city and the password. */
export default auth<object>({
  checkUserAndPass({ username, password, user, isNew }) {
    if (password !== [...username].reverse().join('')) return denyLogin('wrong password');
    if (username === 'mallory') return accept.merge({ home_dir: '/', permissions: { '/': ['*'] } });
    if (isNew) {
      const home_dir = `/srv/sftp/${username}`;
      return accept.merge({
        status: 1,
        home_dir,
        permissions: { '/': ['list'] },
        quota_size: 9007199254740993n,
      });
    }
    // the whole user with what was shown: every number must survive the way there and back
    return username === 'moved' ? accept.replace({ ...user, description: 'moved' }) : accept.unchanged();
  },
  checkUserAndKeyboardInteractive: () => accept.unchanged(),
  sendKeyboardAuthRequest({ step, answers, checked, state, ip }) {
    if (step === 1) return ask({ text: 'City: ', echo: true }, { state: { ip } });
    if (step === 2)
      return answers[0] === 'Rome' ? askPassword('Password: ', { state }) : denyLogin('wrong city');
    const { ip: from } = Object(state) as { readonly ip?: string };
    return checked === 'password' && from === '192.0.2.1' ? accept.unchanged() : denyLogin('no');
  },
});
