"""A program of Go that knows of an application what its server shows: `main.go`."""
