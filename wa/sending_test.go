package wa

import (
	"errors"
	"fmt"
	"testing"
)

// TestClassOf holds the codes that a campaign meets, by what they must do to the queue.
func TestClassOf(t *testing.T) {
	for class, codes := range map[Class][]int{
		ClassSlow:     {1, 2, 4, 80007, 130429, 131000, 131016, 131057},
		ClassPair:     {131056},
		ClassAccount:  {0, 3, 10, 190, 200, 203, 299, 368, 131005, 131031, 131042, 131064},
		ClassTemplate: {132000, 132001, 132007, 132012, 132015, 132016, 132068, 134100, 134101, 131063},
		ClassNumber:   {33, 131037, 131045, 131048, 133010},
		ClassRecipient: {
			131026, 131049, 131050, 130472, 131047, 131021, 131030, 131053, 100, 131008, 131009,
			132005, 132018, // this row's values
			130497,         // this person's country
			5, 300, 999999, // nobody knows them
			-1,
		},
	} {
		for _, code := range codes {
			if got := ClassOf(code); got != class {
				t.Errorf("code %d is of class %d, want %d", code, got, class)
			}
		}
	}
}

// TestClassesFitTheCatalogue: what a code does to the queue and what the catalogue
// tells people about it are of one mind.
func TestClassesFitTheCatalogue(t *testing.T) {
	elsewhere := func(code int) bool { // codes of calls that send no message
		return code >= 131201 && code <= 131215 || code >= 133000 && code <= 133016 && code != 133004 && code != 133010 ||
			code >= 139100 && code <= 139103 || code > 139103 && code != 2494100
	}
	for _, e := range Catalogue() {
		class := ClassOf(e.Code)
		if elsewhere(e.Code) {
			continue
		}
		var may []Class
		switch e.Category {
		case CategoryAuth:
			may = []Class{ClassAccount}
		case CategoryPayment:
			may = []Class{ClassAccount, ClassRecipient} // 131044 is of calls, 134011 of orders
		case CategoryRateLimit:
			may = []Class{ClassSlow, ClassPair}
		case CategoryQuality:
			may = []Class{ClassNumber}
		case CategoryAccount:
			may = []Class{ClassAccount, ClassNumber, ClassTemplate}
		case CategoryTemplate:
			may = []Class{ClassTemplate, ClassRecipient}
		case CategoryPlatform:
			may = []Class{ClassSlow}
			if e.Retry == RetryNever {
				may = []Class{ClassRecipient}
			}
		case CategoryPolicy:
			may = []Class{ClassAccount, ClassRecipient}
		case CategoryRequest:
			may = []Class{ClassRecipient, ClassTemplate}
		default: // the person's own
			may = []Class{ClassRecipient}
		}
		fits := false
		for _, m := range may {
			fits = fits || class == m
		}
		if !fits {
			t.Errorf("code %d, %s, %s, retry %s: class %d", e.Code, e.Title, e.Category, e.Retry, class)
		}
		if class == ClassSlow && e.Retry != RetryBackoff && e.Retry != RetryLater {
			t.Errorf("code %d goes back to waiting, and the catalogue says retry %s", e.Code, e.Retry)
		}
	}
}

func TestRefusalClass(t *testing.T) {
	for _, c := range []struct {
		r    Refusal
		want Class
	}{
		{Refusal{HTTP: 429}, ClassSlow},
		{Refusal{HTTP: 429, Code: 999999}, ClassSlow},
		{Refusal{HTTP: 429, Code: 131056}, ClassPair},
		{Refusal{HTTP: 429, Code: 368}, ClassAccount},
		{Refusal{HTTP: 401}, ClassAccount},
		{Refusal{HTTP: 401, Code: 999999}, ClassAccount},
		{Refusal{HTTP: 400, Code: 0}, ClassAccount},
		{Refusal{HTTP: 400, Code: 100, Subcode: 33}, ClassNumber},
		{Refusal{HTTP: 400, Code: 100}, ClassRecipient},
		{Refusal{HTTP: 400, Code: 132015}, ClassTemplate},
		{Refusal{Code: 131009}, ClassRecipient},
		{Refusal{Details: "the row does not fill the template"}, ClassRecipient},
		{Refusal{Code: 190}, ClassAccount},
	} {
		if got := c.r.Class(); got != c.want {
			t.Errorf("%+v is of class %d, want %d", c.r, got, c.want)
		}
	}
}

func TestRefusalError(t *testing.T) {
	for _, c := range []struct {
		r    Refusal
		want string
	}{
		{Refusal{HTTP: 400, Code: 131026, Message: "m", Details: "d\x1b[2J"}, "refused with code 131026: d[2J"},
		{Refusal{HTTP: 400, Code: 131026, Message: "m"}, "refused with code 131026: m"},
		{Refusal{HTTP: 400, Code: 131026}, "refused with code 131026: Message Undeliverable"},
		{Refusal{HTTP: 400, Code: 999999}, "refused with code 999999: no reason given"},
		{Refusal{HTTP: 429, Message: "too many requests"}, "refused: too many requests"},
		{Refusal{Code: 190, Details: "no token"}, "not asked, for Meta would refuse it with code 190: no token"},
	} {
		err := fmt.Errorf("send: %w", &c.r)
		if got, ok := errors.AsType[*Refusal](err); !ok || got.Error() != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
