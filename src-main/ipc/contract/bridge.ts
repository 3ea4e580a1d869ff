/** What the preload script puts on `window.vitrine`: one function per request and per event, and no way to reach anything else. */
import type { EventName, RequestName } from './channels'
import type { Reply } from './errors'
import type { EventPayload } from './events'
import type { RequestInput, RequestOutput } from './requests'

export type RequestFunction<N extends RequestName> = undefined extends RequestInput<N>
  ? () => Promise<Reply<RequestOutput<N>>>
  : (input: RequestInput<N>) => Promise<Reply<RequestOutput<N>>>

export interface VitrineBridge {
  readonly requests: { readonly [N in RequestName]: RequestFunction<N> }
  /** Each returns the function that ends the subscription. */
  readonly events: { readonly [N in EventName]: (listener: (payload: EventPayload<N>) => void) => () => void }
}
