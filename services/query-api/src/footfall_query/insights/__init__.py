"""The questions, one module each: a query document, `build` to SQL, `shape` from rows, both pure."""
