export const CloseCode: { Unauthorized: number };
export function createClient(options: any): {
  subscribe(payload: any, sink: any): () => void;
  terminate(): void;
  dispose(): void;
};
