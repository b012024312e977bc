package monitor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// table asks for all pages of a table as a console does. between is called after
// every page; it may be nil.
func table(t *testing.T, h *house, args link.RowsArgs, between func()) (columns []string, rows [][]string) {
	t.Helper()
	for share := 0.0; ; {
		encoded, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := h.monitor.Handle(t.Context(), link.Peer{Name: "ines"}, link.Command{Verb: link.VerbRows, Args: encoded})
		if err != nil {
			t.Fatal(err)
		}
		page := answer.(link.RowsPage)
		var names []string
		for _, c := range page.Columns {
			names = append(names, c.Name)
		}
		if columns != nil && !slices.Equal(names, columns) {
			t.Fatalf("the columns were %v and are %v", columns, names)
		}
		if page.Share < share || page.Share > 1 {
			t.Fatalf("share %g after %g", page.Share, share)
		}
		columns, rows, share = names, append(rows, page.Rows...), page.Share
		if page.Next == nil {
			return columns, rows
		}
		args.From = *page.Next
		if between != nil {
			between()
		}
	}
}

// column gives the cells of some columns, row by row, each put together.
func column(columns []string, rows [][]string, names ...string) (cells []string) {
	for _, r := range rows {
		var all []string
		for _, n := range names {
			all = append(all, r[slices.Index(columns, n)])
		}
		cells = append(cells, strings.Join(all, " "))
	}
	return cells
}

// failedStatus is a failure as a webhook tells it, to a phone.
func failedStatus(id, phone string, at time.Time, code int, details string) *wa.Post {
	p := &wa.Post{Source: "meta", ReceivedAt: wa.At(now.Add(time.Hour)), Body: []byte("{}"), Statuses: []wa.StatusUpdate{{
		Sender: wa.Sender{NumberID: "500100200300400", Display: "4915550001"}, MessageID: "wamid." + id, Status: wa.StatusFailed,
		At: wa.At(at), CallbackData: "autumn:" + id, Code: code, Details: details,
	}}}
	p.Statuses[0].Phone = phone
	return p
}

func (h *house) take(t *testing.T, posts ...*wa.Post) {
	t.Helper()
	for _, p := range posts {
		if err := h.store.Ingest(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// The rejected list has the guide's columns and a clean row for each message that
// failed and did not arrive.
func TestTheRejectedList(t *testing.T) {
	h := decoding(t, newHand())
	arrived := failedStatus("2", "351900000002", now, 131026, "")
	arrived.Statuses = append(arrived.Statuses, arrived.Statuses[0])
	arrived.Statuses[1].Status, arrived.Statuses[1].Code = wa.StatusDelivered, 0
	hostile := failedStatus("3", "", now.Add(time.Second), 131049, "=HYPERLINK(\"x\")\x1b[31m\u202e\n2nd line")
	hostile.Statuses[0].BSUID = "PT.1234567890"
	h.take(t, failedStatus("1", "351900000001", now, 131026, "Message Undeliverable."), arrived, hostile)
	columns, rows := table(t, h, link.RowsArgs{Kind: link.RowsRejected}, nil)
	if diff := cmp.Diff([]string{"Time", "Message_From", "Message_To", "Status", "Description"}, columns); diff != "" {
		t.Error(diff)
	}
	moment := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	want := [][]string{
		{moment(0), "+4915550001", "+351900000001", "failed", "131026 Message Undeliverable: Message Undeliverable."},
		{moment(time.Second), "+4915550001", "PT.1234567890", "failed", `131049 Meta chose not to deliver: =HYPERLINK("x")[31m 2nd line`},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	_, rows = table(t, h, link.RowsArgs{Kind: link.RowsRejected, Masked: true}, nil)
	if text := fmt.Sprint(rows); strings.Contains(text, "351900000001") || strings.Contains(text, "PT.1234567890") || !strings.Contains(text, "+351*") {
		t.Errorf("masked: %s", text)
	}
}

// A table holds what was there when it began, whatever the size of its pages, and
// nothing twice.
func TestATableOfManyPages(t *testing.T) {
	clock := newHand()
	h := decoding(t, clock)
	const all = 2 * 2000
	for i := 0; i < all; i += 500 {
		p := failedStatus(fmt.Sprint(i), "", now, 131026, strings.Repeat("<", 300)) // which JSON makes longer
		for k := 1; k < 500; k++ {
			u := p.Statuses[0]
			u.MessageID = fmt.Sprint("wamid.", i+k)
			p.Statuses = append(p.Statuses, u)
		}
		for k := range p.Statuses {
			p.Statuses[k].Phone = fmt.Sprint(351900000000 + i + k)
		}
		h.take(t, p)
	}
	for _, kind := range []string{link.RowsRejected, link.RowsMessages, link.RowsCleanup} {
		pages := 1
		columns, rows := table(t, h, link.RowsArgs{Kind: kind}, func() {
			pages++
			h.take(t, failedStatus(fmt.Sprint("late", kind, pages), fmt.Sprint(352900000000+pages), now, 131026, ""))
		})
		name := map[string]string{link.RowsRejected: "Message_To"}[kind]
		if name == "" {
			name = "phone"
		}
		seen := map[string]bool{}
		for _, phone := range column(columns, rows, name) {
			seen[phone] = true
		}
		if len(rows) < all || len(seen) != len(rows) || pages < 3 || len(rows) > all+20 {
			t.Errorf("%s: %d rows of %d people in %d pages, want %d", kind, len(rows), len(seen), pages, all)
		}
	}
}

func TestWhoWasHit(t *testing.T) {
	h := decoding(t, newHand())
	minute := func(n int) time.Time { return now.Add(time.Duration(n) * time.Minute) }
	h.take(t,
		failedStatus("1", "2250700000001", minute(1), 131026, ""), failedStatus("2", "2250700000002", minute(5), 131026, ""),
		failedStatus("3", "351912345678", minute(5), 131026, ""), failedStatus("4", "2250700000004", minute(5), 131049, ""),
		failedStatus("5", "2250700000005", minute(9), 131026, ""),
	)
	from, to := minute(5), minute(9)
	for what, c := range map[string]struct {
		only link.RowsFilter
		want []string
	}{
		"all":       {link.RowsFilter{}, []string{"1", "2", "3", "4", "5"}},
		"span":      {link.RowsFilter{From: &from, To: &to}, []string{"2", "3", "4"}},
		"code":      {link.RowsFilter{Codes: []int{131049}}, []string{"4"}},
		"country":   {link.RowsFilter{Where: []link.RowsWhere{{Column: "Country", Value: "pt"}}}, []string{"3"}},
		"prefix":    {link.RowsFilter{From: &from, Codes: []int{131026}, Where: []link.RowsWhere{{Column: "prefix", Value: "+225 07"}}}, []string{"2", "5"}},
		"number":    {link.RowsFilter{Number: "+4915550001", To: &from}, []string{"1"}},
		"none left": {link.RowsFilter{Codes: []int{1}}, nil},
	} {
		columns, rows := table(t, h, link.RowsArgs{Kind: link.RowsMessages, Campaign: "autumn", Only: c.only}, nil)
		for i := range c.want {
			c.want[i] = "wamid." + c.want[i] + " failed"
		}
		if diff := cmp.Diff(c.want, column(columns, rows, "message_id", "state")); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	_, masked := table(t, h, link.RowsArgs{Kind: link.RowsMessages, Masked: true}, nil)
	if text := fmt.Sprint(masked); strings.Contains(text, "wamid") || strings.Contains(text, "351912345678") {
		t.Errorf("masked: %s", text)
	}
	for what, a := range map[string]link.RowsArgs{
		"no such table":        {Kind: "weather"},
		"no such campaign":     {Kind: link.RowsRejected, Campaign: "spring"},
		"no such column":       {Kind: link.RowsMessages, Only: link.RowsFilter{Where: []link.RowsWhere{{Column: "city", Value: "Porto"}}}},
		"no such number":       {Kind: link.RowsMessages, Only: link.RowsFilter{Number: "+123"}},
		"ends before":          {Kind: link.RowsMessages, Only: link.RowsFilter{From: &to, To: &from}},
		"clean-up of campaign": {Kind: link.RowsCleanup, Campaign: "autumn"},
	} {
		body, _ := json.Marshal(a)
		_, err := h.monitor.Handle(t.Context(), link.Peer{}, link.Command{Verb: link.VerbRows, Args: body})
		if fault := (*link.Fault)(nil); !errors.As(err, &fault) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The messages of our own campaign come with their list's columns, those that are
// not with Meta too.
func TestMessagesOfAList(t *testing.T) {
	h := decoding(t, newHand())
	i, err := h.store.Import(wa.Plan{
		Name: "Own", From: []string{"500100200300400"}, Columns: []string{"city", "state", "=1"}, Bind: map[string]int{},
		Form: wa.TemplateForm{ID: 7, Name: "own", Language: "pt_PT", Category: wa.CategoryUtility, Body: "Olá"},
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	for n, city := range []string{"Porto", "Lisboa", "porto"} {
		if err := i.Add(store.Recipient{Phone: fmt.Sprint("+35190000000", n), Line: int64(n + 2), Values: []string{city, "PT-\x1b[1m", "x"}}); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := i.Finish(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	plan.State = wa.PlanRunning
	if err := h.store.SavePlan(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	claims, err := h.store.Claim(t.Context(), wa.ClaimRequest{Campaign: plan.Campaign, From: plan.From[0], Limit: 1, Now: wa.At(now)})
	if err != nil || len(claims.Messages) != 1 {
		t.Fatal(claims, err)
	}
	if err := h.store.Settle(t.Context(), wa.Outcome{Message: claims.Messages[0].Message, Kind: wa.OutcomeRefused, At: wa.At(now), Code: 131026}); err != nil {
		t.Fatal(err)
	}
	m := h.again(t) // so that the monitor knows of the plan
	columns, rows := table(t, m, link.RowsArgs{Kind: link.RowsMessages, Campaign: plan.Key}, nil)
	want := []string{
		"+351900000000 refused 131026 2 1 Porto PT-[1m x", "+351900000001 waiting  3 1 Lisboa PT-[1m x", "+351900000002 waiting  4 1 porto PT-[1m x",
	}
	if diff := cmp.Diff(want, column(columns, rows, "phone", "state", "code", "line", "attempt", "city", "state (list)", "=1")); diff != "" {
		t.Error(diff)
	}
	only := link.RowsFilter{Where: []link.RowsWhere{{Column: "city", Value: "Porto"}}}
	if _, rows := table(t, m, link.RowsArgs{Kind: link.RowsMessages, Only: only}, nil); len(rows) != 2 {
		t.Errorf("in Porto: %v", rows)
	}
	if columns, rows := table(t, m, link.RowsArgs{Kind: link.RowsMessages, Masked: true}, nil); slices.Contains(columns, "city") || bytes.Contains(fmt.Append(nil, rows), []byte("90000000")) {
		t.Errorf("masked: %v %v", columns, rows)
	}
}

// Who is on the list for clean-up, and why.
func TestCleanup(t *testing.T) {
	clock := newHand()
	h := decoding(t, clock)
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	told := func(phone, id string, at time.Time, s wa.Status, code int) *wa.Post {
		p := failedStatus(id, phone, at, code, "")
		p.ReceivedAt, p.Statuses[0].Status = wa.At(at), s
		return p
	}
	h.take(t,
		told("1", "a", day(0), wa.StatusFailed, 131026), told("1", "b", day(1), wa.StatusFailed, 131026),
		told("2", "c", day(0), wa.StatusFailed, 131049),
		told("3", "d", day(0), wa.StatusFailed, 131053),
		told("4", "e", day(0), wa.StatusSent, 0),                                                 // nothing since: silent on day 30
		told("5", "f", day(0), wa.StatusDelivered, 0),                                            // and not written to since: nobody asked
		told("6", "g", day(0), wa.StatusDelivered, 0), told("6", "h", day(10), wa.StatusSent, 0), // silent on day 30
		told("7", "i", day(0), wa.StatusDelivered, 0), told("7", "j", day(10), wa.StatusDelivered, 0), told("7", "k", day(11), wa.StatusSent, 0),
		told("8", "l", day(0), wa.StatusFailed, 131026), told("8", "m", day(1), wa.StatusDelivered, 0), // has arrived once
		told("9", "n", day(0), wa.StatusSent, 0),
		&wa.Post{Source: "meta", ReceivedAt: wa.At(day(9)), Body: []byte("{}"), Inbound: []wa.InboundMessage{{
			Sender: wa.Sender{NumberID: "500100200300400"}, Person: wa.Person{Phone: "9"}, MessageID: "in.1", At: wa.At(day(9)), Type: "text", Text: "hello",
		}}},
	)
	for n, want := range map[int][]string{
		29: {"+1 never_delivered 2 131026", "+2 never_delivered_withheld 1 131049", "+3 never_delivered_other 1 131053"},
		30: {
			"+1 never_delivered 2 131026", "+2 never_delivered_withheld 1 131049", "+3 never_delivered_other 1 131053",
			"+4 silent_30_days 1 ", "+6 silent_30_days 2 ",
		},
		41: {
			"+1 never_delivered 2 131026", "+2 never_delivered_withheld 1 131049", "+3 never_delivered_other 1 131053",
			"+4 silent_30_days 1 ", "+6 silent_30_days 2 ", "+7 silent_30_days 3 ",
		},
	} {
		clock.ms.Store(day(n).UnixMilli())
		columns, rows := table(t, h, link.RowsArgs{Kind: link.RowsCleanup}, nil)
		if diff := cmp.Diff(want, column(columns, rows, "phone", "reason", "tries", "last_code")); diff != "" {
			t.Errorf("day %d: %s", n, diff)
		}
	}
	body, _ := json.Marshal(link.RowsArgs{Kind: link.RowsCleanup})
	first, err := h.monitor.Handle(t.Context(), link.Peer{}, link.Command{Verb: link.VerbRows, Args: body})
	if err != nil || first.(link.RowsPage).Next != nil {
		t.Errorf("one page is enough: %+v, %v", first, err)
	}
}

// again is the house with a monitor that has read the store anew.
func (h *house) again(t *testing.T) *house {
	t.Helper()
	m, err := monitor.New(t.Context(), monitor.Options{
		Store: h.store, Now: func() time.Time { return now }, Thresholds: monitor.DefaultThresholds(), Publish: func(*link.Snapshot) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &house{h.dir, h.store, m}
}
