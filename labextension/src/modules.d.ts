declare module '*.svg' {
  const value: string;
  export default value;
}

// plotly.js has types for its whole only; these are its parts.
declare module 'plotly.js/lib/*' {
  const value: never;
  export default value;
}

// Files that go along as they are: what is imported is their URL.
declare module '*.ipynb' {
  const url: string;
  export default url;
}
declare module '*.csv' {
  const url: string;
  export default url;
}
declare module '*.csv.gz' {
  const url: string;
  export default url;
}
