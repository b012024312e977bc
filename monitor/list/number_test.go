package list

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

func TestNumbersAreReadAsTheyAreMeant(t *testing.T) {
	for _, c := range []struct {
		text, country string
		want          Number
		fault         NumberFault
	}{
		{"+49 171 2345678", "", Number{"+491712345678", "DE", false, 0}, NumberOK},
		{"0049 171 2345678", "", Number{"+491712345678", "DE", false, 0}, NumberOK},
		{"0171/2345678", "DE", Number{"+491712345678", "DE", false, 0}, NumberOK},
		{"1712345678", "DE", Number{"+491712345678", "DE", false, 0}, NumberOK},
		{"491712345678", "DE", Number{"+491712345678", "DE", false, MendedPlus}, NumberOK}, // not the landline in Leer
		{"+49 (0) 171 2345678", "", Number{"+491712345678", "DE", false, MendedZero}, NumberOK},
		{"4901712345678", "", Number{}, NumberNoCountry},
		{"491712345678", "", Number{"+491712345678", "DE", false, MendedPlus}, NumberOK},
		{"491712345678.0", "", Number{"+491712345678", "DE", false, MendedPlus}, NumberOK},
		{"4,91712345678E+11", "", Number{"+491712345678", "DE", false, MendedPlus}, NumberOK},
		{"whatsapp:+351912345678", "", Number{"+351912345678", "PT", false, 0}, NumberOK},
		{"'+351912345678", "", Number{"+351912345678", "PT", false, 0}, NumberOK},
		{`="+351912345678"`, "", Number{"+351912345678", "PT", false, 0}, NumberOK},
		{"\u202a+351\u00a0912\u00a0345\u00a0678\u202c", "", Number{"+351912345678", "PT", false, 0}, NumberOK},
		{"+٣٥١٩١٢٣٤٥٦٧٨", "", Number{"+351912345678", "PT", false, 0}, NumberOK},
		{"+351912345678", "", Number{"+351912345678", "PT", false, 0}, NumberOK},
		{"+39 06 123 45678", "", Number{"+390612345678", "IT", true, 0}, NumberOK},
		{"+12025550123", "", Number{"+12025550123", "US", false, 0}, NumberOK},
		{"+1 416 555 0123", "", Number{"+14165550123", "CA", false, 0}, NumberOK},
		{"(202) 555-0123", "US", Number{"+12025550123", "US", false, 0}, NumberOK},
		{"+49 30 1234567", "", Number{"+49301234567", "DE", true, 0}, NumberOK},
		{"+55 11 98765-4321", "", Number{"+5511987654321", "BR", false, 0}, NumberOK},
		{"+52 1 55 1234 5678", "", Number{"+525512345678", "MX", false, 0}, NumberOK},

		{"8,86912E+11", "", Number{}, NumberExponent},
		{"4.9E11", "DE", Number{}, NumberExponent},
		{"0171 2345678", "", Number{}, NumberZero},
		{"2025550123", "", Number{}, NumberNoCountry}, // a landline in Cairo, if it were international
		{"171 2345678", "", Number{}, NumberNoCountry},
		{"", "", Number{}, NumberEmpty},
		{"  -  ", "", Number{}, NumberEmpty},
		{"n/a", "", Number{}, NumberLetters},
		{"+49 171 CALL-ME", "", Number{}, NumberLetters},
		{"ana@example.com", "", Number{}, NumberLetters},
		{"+491712345678, +491712345679", "", Number{}, NumberSeveral},
		{"+491712345678 +491712345679", "", Number{}, NumberSeveral},
		{"0171 2345678 or 0171 2345679", "DE", Number{}, NumberSeveral},
		{"+351 912", "", Number{}, NumberTooShort},
		{"+49 171 23456789012345", "", Number{}, NumberTooLong},
		{"+1 202 555 01234", "", Number{}, NumberTooLong},
		{"+0461 2345688", "", Number{}, NumberNotPossible},
		{"+999 12345678", "", Number{}, NumberNotPossible},
		{"+1 000 555 0123", "", Number{}, NumberNotValid},
		{"+4", "", Number{}, NumberTooShort},
	} {
		numbers, err := NewNumbers("")
		if err != nil {
			t.Fatal(err)
		}
		got, fault := numbers.Read(c.text, c.country)
		if got != c.want || fault != c.fault {
			t.Errorf("%q in %q: %+v, %v; want %+v, %v", c.text, c.country, got, fault, c.want, c.fault)
		}
	}
}

func TestEveryFaultHasItsOwnWords(t *testing.T) {
	seen := map[string]NumberFault{}
	for f := NumberOK; f < numberFaults; f++ {
		if before, ok := seen[f.String()]; ok {
			t.Errorf("faults %d and %d are both called %q", before, f, f)
		}
		seen[f.String()] = f
	}
}

// What the state machines say of a number, phonenumbers says too.
func TestPlanAgreesWithPhonenumbers(t *testing.T) {
	certain := 0
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 100 {
			if agrees(t.Fatalf, plausible(r)) {
				certain++
			}
		}
	})
	if certain == 0 {
		t.Error("the state machines knew nothing")
	}
}

// A number that is dialled within a country is what phonenumbers makes of it.
func TestDialledAgreesWithPhonenumbers(t *testing.T) {
	numbers, _ := NewNumbers("")
	quick := 0
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 100 {
			parsed, err := phonenumbers.Parse("+"+plausible(r), "")
			if err != nil {
				continue
			}
			region, code := phonenumbers.GetRegionCodeForNumber(parsed), fmt.Sprint(parsed.GetCountryCode())
			digits := []string{"", "0", "1", code, code[:1]}[r.IntN(5)] + phonenumbers.GetNationalSignificantNumber(parsed)
			if CountryCode(region) == "" || len(digits) > 15 {
				continue
			}
			whole := dialled(digits, region)
			if _, fixed, ok := world.classify(whole); whole == "" || !ok || fixed {
				continue
			}
			quick++
			got, _ := numbers.national(digits, region)
			if want, fault := parse(digits, region); got != want || fault != NumberOK {
				t.Fatalf("%s in %s: %+v, but %+v, %v", digits, region, got, want, fault)
			}
		}
	})
	if quick == 0 {
		t.Error("none was read the quick way")
	}
}

// plausible makes up a number that is near to a real one.
func plausible(r *rand.Rand) string {
	regions := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	for {
		kind := phonenumbers.PhoneNumberType(r.IntN(11))
		example := phonenumbers.GetExampleNumberForType(regions[r.IntN(len(regions))], kind)
		if example == nil {
			continue
		}
		digits := []byte(phonenumbers.Format(example, phonenumbers.E164)[1:])
		for range r.IntN(5) {
			i := r.IntN(len(digits))
			digits[i] = byte('0' + r.IntN(10))
		}
		switch r.IntN(8) {
		case 0:
			digits = append(digits, byte('0'+r.IntN(10)))
		case 1:
			digits = digits[:len(digits)-1]
		}
		return string(digits)
	}
}

func agrees(fatalf func(string, ...any), digits string) bool {
	region, fixed, ok := world.classify(digits)
	if !ok {
		return false
	}
	parsed, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		fatalf("+%s: valid for us, %v", digits, err)
		return false
	}
	wantRegion := phonenumbers.GetRegionCodeForNumber(parsed)
	if wantRegion == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		wantRegion = ""
	}
	kind := phonenumbers.GetNumberType(parsed)
	if e164 := phonenumbers.Format(parsed, phonenumbers.E164); !phonenumbers.IsValidNumber(parsed) || e164 != "+"+digits || region != wantRegion || fixed != fixedKind(kind) {
		fatalf("+%s: %s %v for us, but %s %s kind %d valid %v", digits, region, fixed, e164, wantRegion, kind, phonenumbers.IsValidNumber(parsed))
	}
	return true
}

func BenchmarkNumber(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var texts []string
	for len(texts) < 4096 {
		texts = append(texts, fmt.Sprintf("+49%d", 1510_0000000+r.IntN(1_0000000)), fmt.Sprintf("+3519%d", 10000000+r.IntN(9999999)), fmt.Sprintf("+55119%d", 80000000+r.IntN(9999999)))
	}
	b.Run("Read", func(b *testing.B) {
		numbers, _ := NewNumbers("")
		b.ReportAllocs()
		for i := range b.N {
			numbers.Read(texts[i%len(texts)], "")
		}
	})
	b.Run("national", func(b *testing.B) {
		numbers, _ := NewNumbers("DE")
		b.ReportAllocs()
		for i := range b.N {
			numbers.Read("0151"+texts[i%len(texts)][5:13], "")
		}
	})
	b.Run("phonenumbers", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			parsed, _ := phonenumbers.Parse(texts[i%len(texts)], "")
			phonenumbers.GetNumberType(parsed)
			phonenumbers.GetRegionCodeForNumber(parsed)
			phonenumbers.Format(parsed, phonenumbers.E164)
		}
	})
}
