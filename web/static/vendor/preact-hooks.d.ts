export function useEffect(effect: () => void | (() => void) | undefined, inputs?: unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void) | undefined, inputs?: unknown[]): void;
export function useMemo<T>(make: () => T, inputs: unknown[]): T;
export function useReducer<S, A>(reduce: (state: S, action: A) => S, first: S): [S, (action?: A) => void];
export function useRef<T>(first: T): { current: T };
export function useState<T>(first: T | (() => T)): [T, (next: T | ((before: T) => T)) => void];
