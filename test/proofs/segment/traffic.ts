/** One call of an SDK, as both SDKs take it. */
export interface Call {
  readonly method: 'track' | 'identify' | 'page' | 'screen' | 'group' | 'alias';
  readonly message: {
    readonly userId: string;
    readonly anonymousId?: string;
    readonly event?: string;
    readonly name?: string;
    readonly groupId?: string;
    readonly previousId?: string;
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly traits?: Readonly<Record<string, unknown>>;
  };
}

/** The call with a number, and what must be in the warehouse once for it, as `factsOf` names it. */
export function callOf(number: number): { readonly call: Call; readonly facts: readonly string[] } {
  const userId = `person-${number}`;
  const given = { number, text: `event ${number} 跑步机`, price: number + 0.99 };
  switch (number % 20) {
    case 0: {
      const anonymousId = `visitor-${number}`;
      return {
        call: { method: 'identify', message: { userId, anonymousId, traits: given } },
        facts: [
          state('profile_set', anonymousId, userId, number),
          // By the one event that has both ids.
          state('alias', anonymousId, userId),
        ],
      };
    }
    case 1: {
      const previousId = `device-${number}`;
      return {
        call: { method: 'alias', message: { userId, previousId } },
        facts: [state('alias', previousId, userId)],
      };
    }
    case 2: {
      const groupId = `group-${number}`;
      return {
        call: { method: 'group', message: { userId, groupId, traits: given } },
        facts: [event('$group', groupId), state('item_set', groupId, userId, number)],
      };
    }
    case 3:
      return {
        call: { method: 'page', message: { userId, name: 'Home', properties: given } },
        facts: [event('$page', number)],
      };
    case 4:
      return {
        call: { method: 'screen', message: { userId, name: 'Cart', properties: given } },
        facts: [event('$screen', number)],
      };
    default:
      return {
        call: { method: 'track', message: { userId, event: 'numbered', properties: given } },
        facts: [event('numbered', number)],
      };
  }
}

/** A row of `events`, by its name and what numbers it. */
export const event = (name: string, number: number | string): string => `${name} ${number}`;

/** A row of state_log, by its kind, whom or what it is of, and the number in its properties. */
export const state = (kind: string, subject: string, userId: string, number: number | string = ''): string =>
  `${kind} ${subject} ${userId} ${number}`;
