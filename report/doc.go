// Package report shows what fails to people and to programs: as a table, as JSON or YAML, as a page, and the page of a
// cause in the terminal, in HTML and in Markdown. It reads snapshots and knows nothing of where they come from.
package report
