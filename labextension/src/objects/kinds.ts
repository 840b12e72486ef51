/** Names of what data visualization opens. */
export const TABULAR = /\.(csv|tsv|parquet|jsonl|ndjson)(\.(gz|zst))?$/i;
/** Names of what can be deployed. */
export const ARCHIVE = /(^|\/)model\.tar\.gz$/;
