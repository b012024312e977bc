package pane

import (
	"strconv"

	"tickwatch/monitor/link"
)

// compared says which of two templates people block less, and why they do.
func (l Look) compared(c *link.Comparison, t *link.TemplateRef) string {
	name := "this template"
	if t != nil {
		name = t.Name
	}
	text := "Meta does not say whether people block " + name + " more than " + c.Other
	if c.BlockedMore != nil && *c.BlockedMore {
		text = "By Meta's order people block " + name + " more than " + c.Other
	} else if c.BlockedMore != nil {
		text = "By Meta's order people block " + name + " less than " + c.Other
	}
	text += " (" + strconv.Itoa(c.Days) + " days, asked " + l.clock(c.At) + ")"
	if c.Reason != "" {
		text += "; top reason: " + blockReason(c.Reason)
	}
	return text + "."
}

// blockReason is why people block a template, in plain words; a new one as it came.
func blockReason(reason string) string {
	switch reason {
	case "NO_LONGER_NEEDED":
		return "no longer needed"
	case "NO_REASON", "NO_REASON_GIVEN":
		return "none given"
	case "NO_SIGN_UP":
		return "they did not sign up"
	case "OFFENSIVE_MESSAGES":
		return "offensive"
	case "OTHER":
		return "another one"
	case "OTP_DID_NOT_REQUEST":
		return "they did not ask for a code"
	case "SPAM":
		return "spam"
	case "UNKNOWN_BLOCK_REASON":
		return "not known"
	}
	return reason
}
