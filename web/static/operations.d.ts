/** The ids of documents, by the names of their operations. */
declare const documentIds: Record<string, string>;
export default documentIds;
