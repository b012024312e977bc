package cli

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A picture that WhatsApp would refuse is named before anybody gets it.
func TestMedia(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) mediaArg {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return mediaArg{path}
	}
	picture := func(img image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	good := image.NewRGBA(image.Rect(0, 0, 8, 8))
	deep := image.NewRGBA64(image.Rect(0, 0, 8, 8))
	deep.Set(1, 1, color.RGBA64{1, 2, 3, 0xffff})
	for _, c := range []struct {
		name  string
		arg   mediaArg
		unfit string
	}{
		{"none", mediaArg{}, ""},
		{"a picture", file("good.png", picture(good)), ""},
		{"16 bits a colour", file("deep.png", picture(deep)), "8"},
		{"a text called a picture", file("text.jpg", []byte("hello")), "text.jpg"},
		{"an empty video", file("none.mp4", nil), "none.mp4"},
	} {
		found, err := c.arg.findings()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		err = unfitMedia(found)
		if (err != nil) != (c.unfit != "") || err != nil && !strings.Contains(err.Error(), c.unfit) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing.png"), "/dev/zero"} {
		if _, err := (mediaArg{path}).findings(); err == nil {
			t.Errorf("%s was taken for a medium", path)
		}
	}
}
