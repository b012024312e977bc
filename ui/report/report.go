// Package report writes what is left after a send: tables for spreadsheets and
// programs. It reads nothing itself: what it writes came over the link, so that
// roles and masking hold.
package report
