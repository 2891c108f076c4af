/** etcd's token: fetched when it is first needed, shared by all calls, fetched again when etcd refuses it. */
import { isStaleToken, isWithoutUsers } from './etcd-error.ts';

/** `token` is null where no user is configured, or this etcd has none. */
export type SignedIn = { token: string | null };
export type SignIn = {
  /** Sends a call signed in; once more, signed in anew, when etcd does not take the token any more. */
  signedIn<T>(deadline: number, send: (signedIn: SignedIn) => Promise<T>): Promise<T>;
};

/** `fetchToken` rejects as a call does; undefined: no user is configured. */
export function createSignIn(fetchToken: ((deadline: number) => Promise<string>) | undefined): SignIn {
  let fetching: Promise<SignedIn> | undefined;
  let current: SignedIn | undefined;

  const fetchOne = async (fetched: (deadline: number) => Promise<string>, deadline: number) => {
    try {
      current = { token: await fetched(deadline) };
    } catch (error) {
      if (!isWithoutUsers(error)) throw error;
      current = { token: null };
    }
    return current;
  };
  const get = async (deadline: number): Promise<SignedIn> => {
    if (fetchToken === undefined) return { token: null };
    if (current !== undefined) return current;
    fetching ??= fetchOne(fetchToken, deadline).finally(() => {
      fetching = undefined;
    });
    return fetching;
  };
  return {
    async signedIn(deadline, send) {
      const used = await get(deadline);
      try {
        return await send(used);
      } catch (error) {
        if (fetchToken === undefined || !isStaleToken(error)) throw error;
        // Only the one that was used: another call may have fetched a new one meanwhile.
        if (current === used) current = undefined;
        return send(await get(deadline));
      }
    },
  };
}
