package graph

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// sentAs is what compose makes of a message, as loosely typed JSON.
func sentAs(t *testing.T, m *wa.Outgoing) (out map[string]any) {
	t.Helper()
	body, err := compose(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCompose compares with the payloads of whatsapp.md §3.1 and Meta's pages
// about each kind of header and button.
func TestCompose(t *testing.T) {
	text := func(name string) wa.Variable { return wa.Variable{Name: name, Kind: wa.VariableText} }
	of := func(name, kind string) wa.Variable { return wa.Variable{Name: name, Kind: kind} }
	for name, c := range map[string]struct {
		values []wa.FilledValue
		named  bool
		want   string // of components
	}{
		"nothing to fill": {nil, false, `null`},
		"the reference's example": {[]wa.FilledValue{
			{Variable: of("header", wa.VariableImage), Value: "800100200300400"},
			{Variable: text("first_name"), Place: "first_name", Value: "Ines"},
			{Variable: of("button1", wa.VariablePayload), Value: "STOP_PROMO"},
		}, true, `[{"type":"header","parameters":[{"type":"image","image":{"id":"800100200300400"}}]},
			{"type":"body","parameters":[{"type":"text","parameter_name":"first_name","text":"Ines"}]},
			{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"STOP_PROMO"}]}]`},
		"numbers in the order of Meta, not of the text": {[]wa.FilledValue{
			{Variable: text("header"), Value: "H"},
			{Variable: text("2"), Value: "two"},
			{Variable: text("10"), Value: "ten"},
			{Variable: text("1"), Value: "one"},
			{Variable: of("button3", wa.VariableURL), Value: "a/b?c=d&e"},
		}, false, `[{"type":"header","parameters":[{"type":"text","text":"H"}]},
			{"type":"body","parameters":[{"type":"text","text":"one"},{"type":"text","text":"two"},{"type":"text","text":"ten"}]},
			{"type":"button","sub_type":"url","index":"2","parameters":[{"type":"text","text":"a/b?c=d&e"}]}]`},
		"a named header": {[]wa.FilledValue{
			{Variable: text("header"), Place: "shop", Value: "Porto"}, {Variable: text("body.header"), Place: "header", Value: "B"},
		}, true, `[{"type":"header","parameters":[{"type":"text","parameter_name":"shop","text":"Porto"}]},
			{"type":"body","parameters":[{"type":"text","parameter_name":"header","text":"B"}]}]`},
		"a video by its address": {
			[]wa.FilledValue{{Variable: of("header", wa.VariableVideo), Value: "HTTPS://a.example/film.mp4"}},
			false,
			`[{"type":"header","parameters":[{"type":"video","video":{"link":"HTTPS://a.example/film.mp4"}}]}]`,
		},
		"a document by its address": {
			[]wa.FilledValue{{Variable: of("header", wa.VariableDocument), Value: "https://a.example/b/price%20list.pdf?v=2"}},
			false,
			`[{"type":"header","parameters":[{"type":"document","document":{"link":"https://a.example/b/price%20list.pdf?v=2","filename":"price list.pdf"}}]}]`,
		},
		"a document without a name": {
			[]wa.FilledValue{{Variable: of("header", wa.VariableDocument), Value: "https://a.example/"}},
			false,
			`[{"type":"header","parameters":[{"type":"document","document":{"link":"https://a.example/"}}]}]`,
		},
		"a document by its id": {
			[]wa.FilledValue{{Variable: of("header", wa.VariableDocument), Value: "80010"}},
			false,
			`[{"type":"header","parameters":[{"type":"document","document":{"id":"80010"}}]}]`,
		},
		"a place": {
			[]wa.FilledValue{{Variable: of("header", wa.VariableLocation), Value: "38.7223,-9.1393,Loja,Rua Augusta 1, Lisboa"}},
			false,
			`[{"type":"header","parameters":[{"type":"location","location":{"latitude":"38.7223","longitude":"-9.1393","name":"Loja","address":"Rua Augusta 1, Lisboa"}}]}]`,
		},
		"buttons": {[]wa.FilledValue{
			{Variable: of("button1", wa.VariableCode), Value: "OUTONO20"}, {Variable: of("button10", wa.VariableFlow), Value: "unused"},
		}, false, `[{"type":"button","sub_type":"copy_code","index":"0","parameters":[{"type":"coupon_code","coupon_code":"OUTONO20"}]},
			{"type":"button","sub_type":"flow","index":"9","parameters":[{"type":"action","action":{"flow_token":"unused"}}]}]`},
	} {
		t.Run(name, func(t *testing.T) {
			m := outgoing()
			m.Template.Values, m.Template.Named = c.values, c.named
			got := sentAs(t, m)
			var want any
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got["template"].(map[string]any)["components"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestComposeFrame(t *testing.T) {
	m := outgoing()
	m.Template.Values = nil
	want := map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+351900000001", "type": "template",
		"biz_opaque_callback_data": "autumn:tw-a1-2s",
		"template":                 map[string]any{"name": "autumn_offer", "language": map[string]any{"code": "pt_PT"}},
	}
	if diff := cmp.Diff(want, sentAs(t, m)); diff != "" {
		t.Error(diff)
	}
	m.Marketing, want["product_policy"] = true, "CLOUD_API_FALLBACK"
	if diff := cmp.Diff(want, sentAs(t, m)); diff != "" {
		t.Error(diff)
	}
}
