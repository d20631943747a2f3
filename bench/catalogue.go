package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// catalogueShow is a line of the file that `neticket shows import` reads.
type catalogueShow struct {
	Title        string    `json:"title"`
	Venue        string    `json:"venue"`
	Description  string    `json:"description"`
	Price        int       `json:"price"`
	StartsAt     time.Time `json:"starts_at"`
	SalesOpenAt  time.Time `json:"sales_open_at"`
	SalesCloseAt time.Time `json:"sales_close_at"`
	Capacity     int       `json:"capacity"`
	LimitPerUser int       `json:"limit_per_user"`
	ImageAlt     string    `json:"image_alt"`
}

// vocabulary is what titles and venues are made of, Korean and Latin as on a site of this country. People and places are made up.
type vocabulary struct {
	kinds, works, artists, cities, halls, sentences []string
}

func newVocabulary() vocabulary {
	return vocabulary{
		kinds: []string{"뮤지컬", "연극", "콘서트", "오페라", "발레", "내한공연", "팬미팅", "판소리", "국악", "어린이극", "Musical", "Concert", "Opera", "Recital", "Stand-up", "Festival"},
		works: []string{
			"백조의 호수", "햄릿", "겨울 나그네", "달빛 정거장", "붉은 등대", "세 번째 편지", "구름을 파는 가게", "심청가", "한밤의 재즈", "무게와 빛", "첫눈", "바람의 언덕",
			"Swan Lake", "Giselle", "Paper Boats", "The Trout", "Carmen", "Night Owls", "Harbour Blues", "Silent Film", "New Piano Music", "Starfall", "Winterreise", "Hamlet",
		},
		artists: []string{
			"윤슬 퀸텟", "밤하늘 밴드", "서울시민교향악단", "국립현대무용단", "극단 느티", "소리마루", "한강 챔버", "Hannam Chamber", "The Lanterns", "Busan Brass", "Seongsu Trio",
			"Gothenburg Four", "Orchestra Nova", "김하늘", "이도윤", "박서연", "최아라", "Mina Kwon", "Jonas Berg",
		},
		cities: []string{"서울", "부산", "대구", "인천", "광주", "대전", "전주", "제주", "Seoul", "Busan", "Daegu", "Incheon"},
		halls: []string{
			"예술의전당 오페라극장", "한강아트센터 대극장", "블루스퀘어", "올림픽공원 체조경기장", "시민극장", "소극장 느티", "남산국악당", "무지개극장", "야외무대",
			"Arts Center", "Recital Hall", "Jamsil Dome", "Blue Moon Club", "Rooftop", "Studio 7", "Foundry",
		},
		sentences: []string{
			"초연 10주년을 기념하는 무대로, 라이브 오케스트라와 함께합니다.", "공연 시간은 휴식 없이 100분이며, 늦게 오신 분은 정해진 시간에만 들어가실 수 있습니다.",
			"공연이 끝난 뒤 연출가와 배우가 관객과 이야기를 나눕니다.", "만 7세 이상 관람할 수 있습니다.", "전석 지정석이며, 휠체어석은 전화로 예매해 주세요.",
			"The company comes to Korea for the first time, with a cast of forty.", "Doors open an hour before the show; the bar stays open in the interval.",
			"Surtitles in Korean and English.", "Please bring the booking number; names are checked at the door.", "느린 악장으로 사랑받는 작품을 전곡 연주합니다.",
		},
	}
}

// writeCatalogue writes n shows as JSON lines, the same ones for the same day: half are over, and of the others half are on sale.
func writeCatalogue(out io.Writer, v vocabulary, n int, now time.Time) error {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same shows every time
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	const day = 24 * time.Hour
	today := now.UTC().Truncate(day)
	lines := json.NewEncoder(out)
	for range n {
		starts := today.Add(time.Duration(random.IntN(240)-120)*day + time.Duration(random.IntN(24))*30*time.Minute)
		opens := starts.Add(-time.Duration(20+random.IntN(81)) * day)
		s := catalogueShow{
			Title: fmt.Sprintf("%s <%s> %d회", pick(v.kinds), pick(v.works), 1+random.IntN(3000)),
			Venue: pick(v.cities) + " " + pick(v.halls), Price: 1000 * (15 + random.IntN(150)),
			StartsAt: starts, SalesOpenAt: opens, SalesCloseAt: starts.Add(-time.Hour),
			Capacity: 50 + random.IntN(2000), LimitPerUser: random.IntN(9), ImageAlt: "",
		}
		if random.IntN(3) == 0 {
			s.Title = pick(v.artists) + ": " + s.Title
		}
		sentences := make([]string, 2+random.IntN(4))
		for i := range sentences {
			sentences[i] = pick(v.sentences)
		}
		s.Description = strings.Join(sentences, " ")
		if err := lines.Encode(s); err != nil {
			return fmt.Errorf("write the catalogue: %w", err)
		}
	}
	return nil
}
