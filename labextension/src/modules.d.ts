declare module '*.svg' {
  const value: string;
  export default value;
}

// plotly.js has types for its whole only; these are its parts.
declare module 'plotly.js/lib/*' {
  const value: never;
  export default value;
}
