package main

import "time"

// demoShows are 10 open, 4 nearly gone, 3 sold out, 3 opening in 2 minutes, and 4 over. People and venues are made up.
func demoShows() []demoShow {
	const soon = 2 * time.Minute
	return []demoShow{
		// open
		{title: "윤슬 퀸텟: 한밤의 재즈", venue: "블루문 클럽, 서울 이태원", price: 55_000, day: 2, clock: "20:00", capacity: 180, limit: 4,
			description: "색소폰과 비브라폰이 이끄는 다섯 연주자의 밤. 1부는 자작곡, 2부는 관객의 신청곡으로 꾸밉니다."},
		{title: "Hannam Chamber Nights: The Trout", venue: "Hannam Recital Hall, Seoul", price: 48_000, day: 4, clock: "19:30", capacity: 320, limit: 6,
			description: "Schubert's quintet by candlelight, with a short introduction in English and Korean before each movement."},
		{title: "뮤지컬 <달빛 정거장>", venue: "한강아트센터 대극장, 서울", price: 132_000, day: 6, clock: "14:00", capacity: 1_240, limit: 4,
			description: "마지막 열차를 놓친 세 사람이 보내는 하룻밤. 초연 10주년 기념 무대로, 라이브 오케스트라와 함께합니다."},
		{title: "Paper Boats — World Tour", venue: "Jamsil Dome, Seoul", price: 154_000, day: 12, clock: "18:00", capacity: 16_000, limit: 4,
			description: "The four-piece from Gothenburg bring their third record to Korea for one evening only. Doors open at 16:00."},
		{title: "국립현대무용제: 무게와 빛", venue: "남산국악당, 서울", price: 40_000, day: 9, clock: "19:30", capacity: 300, limit: 4,
			description: "젊은 안무가 네 명의 신작을 한 무대에서 만납니다. 공연이 끝난 뒤 관객과의 대화가 있습니다."},
		{title: "Busan Harbour Blues Festival", venue: "Millak Waterside Stage, Busan", price: 66_000, day: 16, clock: "15:00", capacity: 5_000, limit: 8,
			description: "Nine bands, two stages and the sea behind them. Bring a blanket; the ground is grass."},
		{title: "어린이 인형극 <구름을 파는 가게>", venue: "무지개극장, 대전", price: 18_000, day: 3, clock: "11:00", capacity: 150, limit: 6,
			description: "36개월부터 볼 수 있는 손인형극입니다. 공연 시간은 50분이고, 끝나면 인형을 만져 볼 수 있습니다."},
		{title: "An Evening of New Piano Music", venue: "Studio 7, Daegu", price: 30_000, day: 8, clock: "19:00", capacity: 90, limit: 2,
			description: "Six premieres for piano and live electronics. The composers are there and will talk about their work."},
		{title: "서울시민교향악단 정기연주회: 말러 5번", venue: "한강아트센터 콘서트홀, 서울", price: 70_000, day: 20, clock: "19:30", capacity: 2_100, limit: 6,
			description: "느린 4악장 아다지에토로 사랑받는 교향곡 전곡. 휴식 없이 75분 동안 연주합니다."},
		{title: "Laugh Track: English Stand-up Night", venue: "The Cellar, Seoul", price: 25_000, day: 1, clock: "21:00", capacity: 70, limit: 4,
			description: "Five comedians, one microphone, no second chances. For adults; the jokes are in English."},

		// nearly gone
		{title: "판소리 <심청가> 완창", venue: "전주소리마루, 전주", price: 35_000, day: 5, clock: "15:00", capacity: 60, limit: 4, sold: 57,
			description: "네 시간에 걸친 완창 무대. 중간에 두 번 쉬며, 다과를 드립니다."},
		{title: "Rooftop Cinema: Silent Film with Live Organ", venue: "Seongsu Rooftop, Seoul", price: 28_000, day: 3, clock: "20:30", capacity: 48, limit: 4, sold: 46,
			description: "A classic of 1927 under the open sky, with an organist who has never played it twice the same way."},
		{title: "연극 <세 번째 편지>", venue: "소극장 느티, 서울 대학로", price: 40_000, day: 7, clock: "19:30", capacity: 40, limit: 4, sold: 39,
			description: "편지 한 통으로 이어진 두 집안의 30년. 배우 두 사람이 열한 명을 연기합니다."},
		{title: "Tea and Gayageum", venue: "Bukchon Hanok Hall, Seoul", price: 45_000, day: 10, clock: "16:00", capacity: 30, limit: 2, sold: 28,
			description: "Old and new pieces for the twelve-string zither, in a courtyard house, with a cup of green tea from Boseong."},

		// sold out
		{title: "밤하늘 밴드 단독 콘서트: 첫눈", venue: "홍대 라이브룸, 서울", price: 77_000, day: 11, clock: "19:00", capacity: 60, limit: 4, sold: 60,
			description: "2집 발매를 기념하는 작은 무대. 전석 스탠딩이며, 번호 순서대로 들어갑니다."},
		{title: "Chef's Counter Concert", venue: "Kitchen 12, Seoul", price: 165_000, day: 6, clock: "18:30", capacity: 24, limit: 2, sold: 24,
			description: "Seven courses, seven songs. The cook and the singer decide on the day what goes with what."},
		{title: "새벽 요가와 첼로", venue: "서귀포 바람언덕, 제주", price: 33_000, day: 13, clock: "06:00", capacity: 32, limit: 4, sold: 32,
			description: "해 뜨는 시각에 맞춘 한 시간. 매트는 빌려 드립니다. 비가 오면 온실에서 진행합니다."},

		// opening in 2 minutes
		{title: "STARFALL 2nd Fan Concert", venue: "Olympic Garden Arena, Seoul", price: 143_000, day: 30, clock: "18:00", capacity: 9_000, limit: 2, opensIn: soon,
			description: "Two hours with all seven members. The sale opens to everyone at the same moment, and so does the queue."},
		{title: "뮤지컬 <붉은 등대>", venue: "부산시민극장 대극장, 부산", price: 121_000, day: 40, clock: "19:30", capacity: 1_600, limit: 4, opensIn: soon,
			description: "폭풍이 지나간 섬에 남은 등대지기의 이야기. 부산 초연, 3주 동안만 공연합니다."},
		{title: "Ballet Gala: On the Stage", venue: "Hangang Art Centre, Seoul", price: 110_000, day: 35, clock: "17:00", capacity: 50, limit: 1, opensIn: soon,
			description: "Fifty seats on the stage itself, a metre from the dancers. One ticket a person; it will be quick."},

		// over
		{title: "숲속 음악회", venue: "서울숲 야외무대, 서울", price: 20_000, day: -9, clock: "17:00", capacity: 800, limit: 6,
			description: "나무 아래에서 듣는 현악 사중주. 돗자리를 가져오세요."},
		{title: "Seoul Fringe: Closing Party", venue: "Mullae Foundry, Seoul", price: 22_000, day: -2, clock: "22:00", capacity: 400, limit: 4,
			description: "Ten days of odd theatre end with a dance floor between the machines."},
		{title: "왈츠와 아리아의 밤", venue: "대구콘서트홀, 대구", price: 60_000, day: -30, clock: "19:30", capacity: 1_200, limit: 4,
			description: "소프라노와 관현악단이 여는 밤. 앙코르까지 두 시간입니다."},
		{title: "Matinee for Night Owls", venue: "Hannam Recital Hall, Seoul", price: 38_000, day: 1, clock: "23:30", capacity: 200, limit: 4, closed: true,
			description: "Nocturnes at midnight. The sale has closed; the doors have not."},
	}
}
