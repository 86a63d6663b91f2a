"""From a file to the Capture API.

`rows` reads the file, `mapping` says which column is what, `survey` looks at every row before anything is sent,
`events` turns a row into an event, `sending` brings batches of events to the Capture API, `progress` remembers
how far that got, and `command` puts it together. docs/import.md tells it for users.
"""
