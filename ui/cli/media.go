package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/wa"
)

// mediaArg is the picture, video or document of a template's header, before it is
// uploaded to Meta.
type mediaArg struct {
	Media string `help:"Picture, video or document of the template's header, a file on this machine: says what WhatsApp would refuse." placeholder:"FILE"`
}

// mediaKinds says by a file's ending what it is sent as; all else is a document.
var mediaKinds = map[string]string{
	".jpg": wa.VariableImage, ".jpeg": wa.VariableImage, ".png": wa.VariableImage, ".gif": wa.VariableImage, ".webp": wa.VariableImage,
	".mp4": wa.VariableVideo, ".3gp": wa.VariableVideo, ".mov": wa.VariableVideo, ".avi": wa.VariableVideo, ".mkv": wa.VariableVideo, ".webm": wa.VariableVideo,
}

// findings judges the medium; none given, or nothing wrong, is no finding.
func (m mediaArg) findings() ([]link.Finding, error) {
	if m.Media == "" {
		return nil, nil
	}
	kind := mediaKinds[strings.ToLower(filepath.Ext(m.Media))]
	if kind == "" {
		kind = wa.VariableDocument
	}
	info, err := os.Stat(m.Media)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", wa.Clean(m.Media))
	}
	if err != nil {
		return nil, fmt.Errorf("--media: %w", err)
	}
	f, err := os.Open(m.Media)
	if err != nil {
		return nil, fmt.Errorf("--media: %w", err)
	}
	defer func() { _ = f.Close() }()
	var out []link.Finding
	for _, x := range list.CheckMedia(kind, f, filepath.Base(m.Media)) {
		out = append(out, link.Finding{Severity: x.Severity, Text: x.Text, Count: x.Count})
	}
	return out, nil
}

// unfitMedia is the first finding that keeps a medium from being sent.
func unfitMedia(found []link.Finding) error {
	for _, f := range found {
		if f.Severity == link.VerdictAct {
			return refused("--media: %s", f.Text)
		}
	}
	return nil
}
