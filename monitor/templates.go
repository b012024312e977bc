package monitor

import (
	"fmt"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/wa"
)

// judgeTemplate raises what Meta says of a template: paused and disabled ones
// cannot be sent, and a falling quality comes before that.
func (m *Monitor) judgeTemplate(now wa.Instant, t wa.Template) {
	name := wa.Clean(t.Name + "/" + t.Language)
	subject := fmt.Sprint(t.ID)
	status := finding{kind: "template", subject: subject}
	level := alarm.OK
	switch t.Status {
	case "PAUSED":
		level = alarm.Act
		status.text, status.until = fmt.Sprintf("Meta paused the template %s: nothing goes out with it", name), t.PausedUntil
		status.advice = "Send with another approved template, or wait; mend the text before it is used again. The next pause is longer, the third disables it."
	case "DISABLED":
		level = alarm.Act
		status.text = fmt.Sprintf("Meta disabled the template %s: it cannot be sent any more", name)
		status.advice = "Send with another approved template."
	case "LOCKED":
		level = alarm.Act
		status.text = fmt.Sprintf("Meta locked the template %s: nothing goes out with it", name)
		status.advice = "Send with another approved template."
	case "DELETED", "PENDING_DELETION":
		level = alarm.Watch
		status.text = fmt.Sprintf("The template %s is deleted or soon will be (%s): what is sent with it then fails", name, t.Status)
		status.advice = "If a campaign uses it, send with another approved template."
	case "FLAGGED":
		level = alarm.Watch
		status.text = fmt.Sprintf("Meta flagged the template %s: its quality is falling", name)
		status.advice = "Slow down, and have another approved template ready."
	}
	if (t.PausedUntil != 0 && now > t.PausedUntil) || now-t.Since > staleNews {
		level = alarm.OK // it unpauses itself; and what is old news alarms nobody
	}
	m.incidents.fact(now, level, status)

	quality := finding{kind: "quality", subject: subject, advice: "Stop or slow the send: people block or report this message. Have another approved template ready."}
	level = alarm.OK
	switch t.Quality {
	case wa.QualityYellow:
		level = alarm.Watch
		quality.text = fmt.Sprintf("The quality of the template %s fell to YELLOW", name)
	case wa.QualityRed:
		level = alarm.Act
		quality.text = fmt.Sprintf("The quality of the template %s is RED", name)
		if status.text == "" {
			quality.text += ": Meta pauses it next"
		}
	case wa.QualityGreen, wa.QualityUnknown:
	}
	if now-t.Since > staleNews {
		level = alarm.OK
	}
	m.incidents.fact(now, level, quality)
}

// staleNews is when the standing of a template stops being an incident; the
// Quality pane goes on showing it.
const staleNews = wa.Instant(24 * time.Hour / time.Millisecond)
