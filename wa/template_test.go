package wa

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func hours(h int) Instant { return Instant((time.Duration(h) * time.Hour).Milliseconds()) }

func TestTemplateWith(t *testing.T) {
	start := At(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC))
	paused := TemplateUpdate{
		ID: 7, Name: "autumn_offer", Language: "pt-PT", Category: "MARKETING", Event: "PAUSED", Reason: "NONE", InfoTitle: "FIRST_PAUSE", At: start,
	}
	tpl := Template{}.With(paused)
	if tpl.ID != 7 || tpl.Name != "autumn_offer" || tpl.Language != "pt_PT" || tpl.Category != "MARKETING" {
		t.Errorf("not told apart: %+v", tpl)
	}
	if tpl.Status != "PAUSED" || tpl.Reason != "FIRST_PAUSE" || tpl.PausedUntil != start+hours(3) || tpl.Since != start {
		t.Errorf("the first pause lasts three hours: %+v", tpl)
	}

	yellow := tpl.With(TemplateUpdate{Quality: QualityYellow, PreviousQuality: QualityGreen, At: start + 1000})
	if yellow.Quality != QualityYellow || yellow.Status != "PAUSED" || yellow.PausedUntil != tpl.PausedUntil || yellow.Name != tpl.Name {
		t.Errorf("a quality update changes the quality alone: %+v", yellow)
	}
	second := yellow.With(TemplateUpdate{Event: "PAUSED", InfoTitle: "SECOND_PAUSE", At: start + hours(5)})
	if second.PausedUntil != start+hours(11) || second.Quality != QualityYellow {
		t.Errorf("the second pause lasts six hours: %+v", second)
	}
	if paced := tpl.With(TemplateUpdate{Event: "PAUSED", InfoTitle: "RATE_LIMITING_PAUSE", At: start + 1}); paced.PausedUntil != 0 {
		t.Errorf("a pause by pacing ends when somebody lifts it: %+v", paced)
	}
	back := second.With(TemplateUpdate{Event: "APPROVED", Reason: "NONE", At: start + hours(11)})
	if back.Status != "APPROVED" || back.PausedUntil != 0 || back.Reason != "" {
		t.Errorf("approved again: %+v", back)
	}
	if late := back.With(paused); late != back {
		t.Errorf("an old pause came late and changed %+v into %+v", back, late)
	}
}

// TestTemplateLatePause: news of the quality does not make news of the status old.
func TestTemplateLatePause(t *testing.T) {
	tpl := Template{}.With(TemplateUpdate{Quality: QualityRed, At: 2000}).With(TemplateUpdate{Event: "PAUSED", InfoTitle: "FIRST_PAUSE", At: 1000})
	if tpl.Status != "PAUSED" || tpl.Quality != QualityRed || tpl.Since != 2000 {
		t.Errorf("a pause that came a second late is lost: %+v", tpl)
	}
}

// TestTemplateCategory: a category that Meta changed stays changed when an older
// pause, which names the category of its day, comes late.
func TestTemplateCategory(t *testing.T) {
	tpl := Template{}.With(TemplateUpdate{Event: "APPROVED", Category: "UTILITY", At: 1000}).
		With(TemplateUpdate{Category: "MARKETING", PreviousCategory: "UTILITY", At: 3000}).
		With(TemplateUpdate{Event: "PAUSED", Category: "UTILITY", At: 2000})
	if tpl.Category != "MARKETING" || tpl.Status != "PAUSED" {
		t.Errorf("%+v", tpl)
	}
	stored := Template{Category: "UTILITY", Status: "APPROVED", Since: 9000, StatusAt: 5000}
	if got := stored.With(TemplateUpdate{Category: "MARKETING", At: 4000}); got.Category != "UTILITY" {
		t.Errorf("an older category won over one that was stored without its clock: %+v", got)
	}
}

// TestTemplateAnyOrder: the order in which updates of different moments come,
// and their repetition, leave no trace.
func TestTemplateAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		us := make([]TemplateUpdate, n)
		for i := range us {
			us[i] = TemplateUpdate{ID: 7, Name: "autumn_offer", Language: "pt_PT", At: Instant(1000 * (i + 1))}
			switch rapid.SampledFrom([]string{"quality", "category", "status"}).Draw(t, "kind") {
			case "quality":
				us[i].Quality = rapid.SampledFrom([]Quality{QualityGreen, QualityYellow, QualityRed}).Draw(t, "score")
				continue
			case "category":
				us[i].Category = rapid.SampledFrom([]string{"MARKETING", "UTILITY"}).Draw(t, "category")
				continue
			}
			us[i].Event = rapid.SampledFrom([]string{"APPROVED", "PAUSED", "DISABLED"}).Draw(t, "event")
			us[i].Category = rapid.SampledFrom([]string{"MARKETING", "UTILITY"}).Draw(t, "category")
			us[i].InfoTitle = rapid.SampledFrom([]string{"", "FIRST_PAUSE", "SECOND_PAUSE"}).Draw(t, "title")
		}
		var want Template
		for _, u := range us {
			want = want.With(u)
		}
		var got Template
		repeated := append(append([]TemplateUpdate{}, us...), rapid.SliceOf(rapid.SampledFrom(us)).Draw(t, "repetitions")...)
		for _, u := range rapid.Permutation(repeated).Draw(t, "order") {
			got = got.With(u)
		}
		if got != want {
			t.Fatalf("%+v\nin another order\n%+v", want, got)
		}
	})
}

// TestStoredWithoutClocks: what was kept with Since alone takes no older news.
func TestStoredWithoutClocks(t *testing.T) {
	tpl := Template{ID: 7, Status: "APPROVED", Quality: QualityGreen, Since: 5000}
	if got := tpl.With(TemplateUpdate{Event: "PAUSED", At: 4000}).With(TemplateUpdate{Quality: QualityRed, At: 4000}); got.Status != "APPROVED" || got.Quality != QualityGreen {
		t.Errorf("older news won: %+v", got)
	}
	number := Number{ID: "1", Status: "CONNECTED", Limit: "TIER_2K", Since: 5000}
	if got := number.With(NumberUpdate{Event: "FLAGGED", Limit: "TIER_250", At: 4000}); got.Status != "CONNECTED" || got.Limit != "TIER_2K" {
		t.Errorf("older news won: %+v", got)
	}
}

func TestNumberWith(t *testing.T) {
	n := Number{ID: "500", Display: "4915550001"}.With(NumberUpdate{Display: "4915550001", Event: "ONBOARDING", Limit: "TIER_2K", At: 1000})
	if n.Display != "4915550001" || n.Limit != "TIER_2K" || n.Status != "" || n.Since != 1000 {
		t.Errorf("after onboarding: %+v", n)
	}
	n = n.With(NumberUpdate{Event: "FLAGGED", At: 2000})
	if n.Status != "FLAGGED" || n.Limit != "TIER_2K" {
		t.Errorf("after a flag: %+v", n)
	}
	n = n.With(NumberUpdate{Event: "UNFLAGGED", At: 3000}).With(NumberUpdate{Event: "FLAGGED", At: 2000})
	if n.Status != "CONNECTED" || n.Since != 3000 {
		t.Errorf("after the flag was taken off: %+v", n)
	}
	n = n.With(NumberUpdate{Event: "THROUGHPUT_UPGRADE", Limit: "TIER_UNLIMITED", At: 2500})
	if n.Limit != "TIER_UNLIMITED" || n.Status != "CONNECTED" || n.Since != 3000 {
		t.Errorf("a limit that came late, but is the newest of limits: %+v", n)
	}
}

func TestNumberAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := make([]NumberUpdate, rapid.IntRange(1, 8).Draw(t, "n"))
		for i := range us {
			us[i] = NumberUpdate{
				Display: "4915550001", At: Instant(1000 * (i + 1)),
				Event: rapid.SampledFrom([]string{"ONBOARDING", "THROUGHPUT_UPGRADE", "FLAGGED", "UNFLAGGED"}).Draw(t, "event"),
				Limit: rapid.SampledFrom([]Limit{"", "TIER_250", "TIER_10K"}).Draw(t, "limit"),
			}
		}
		var want, got Number
		for _, u := range us {
			want = want.With(u)
		}
		repeated := append(append([]NumberUpdate{}, us...), rapid.SliceOf(rapid.SampledFrom(us)).Draw(t, "repetitions")...)
		for _, u := range rapid.Permutation(repeated).Draw(t, "order") {
			got = got.With(u)
		}
		if got != want {
			t.Fatalf("%+v\nin another order\n%+v", want, got)
		}
	})
}
