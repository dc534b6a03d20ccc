package httpcache_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/memory"
)

// storeOfSuite makes the store of the caches that tests make; nil for the default, a memory store that keeps pointers.
var storeOfSuite func(testing.TB) store.StoreInterface

// The behaviour of the package is the same whatever the store: every test of behaviour runs over byte stores as well.
func TestTheSameOverAByteStore(t *testing.T) {
	for name, makeStore := range map[string]func(testing.TB) store.StoreInterface{
		"a map": func(testing.TB) store.StoreInterface { return &byteStore{values: map[string][]byte{}} },
		"memory through an adapter": func(t testing.TB) store.StoreInterface {
			m, err := memory.New(memory.DefaultConfig())
			require.NoError(t, err)
			a, err := cachestore.Adapt(m)
			require.NoError(t, err)
			return a
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { storeOfSuite = nil }()
			for _, test := range suite {
				storeOfSuite = makeStore
				t.Run(test.name, test.run)
			}
		})
	}
}

var suite = []struct {
	name string
	run  func(*testing.T)
}{
	{"FreshAnswerIsServedUntilItIsStale", TestFreshAnswerIsServedUntilItIsStale},
	{"EveryCallerGetsAFreshBody", TestEveryCallerGetsAFreshBody},
	{"HeadIsServedFromAStoredGet", TestHeadIsServedFromAStoredGet},
	{"ConditionalRequestGets304", TestConditionalRequestGets304},
	{"RFC9111_4_3_Revalidation", TestRFC9111_4_3_Revalidation},
	{"RFC9111_4_1_Variants", TestRFC9111_4_1_Variants},
	{"RFC9111_4_4_Invalidation", TestRFC9111_4_4_Invalidation},
	{"FillBegunBeforeAnInvalidationIsDiscarded", TestFillBegunBeforeAnInvalidationIsDiscarded},
	{"WhatPassesByIsMarkedAndNotStored", TestWhatPassesByIsMarkedAndNotStored},
	{"CacheStatusOfCachesUpstreamIsKept", TestCacheStatusOfCachesUpstreamIsKept},
	{"OnlyWholeBodiesAreStored", TestOnlyWholeBodiesAreStored},
	{"TrailerIsKept", TestTrailerIsKept},
	{"TrailerComesWithTheEndOfOnesOwnBody", TestTrailerComesWithTheEndOfOnesOwnBody},
	{"OptionsOfACall", TestOptionsOfACall},
	{"Local504SaysNothingAboutTheUpstream", TestLocal504SaysNothingAboutTheUpstream},
	{"AnswersAreKeptApartByCredential", TestAnswersAreKeptApartByCredential},
	{"HostFieldIsPartOfTheKey", TestHostFieldIsPartOfTheKey},
	{"ConfigurationAndUpdate", TestConfigurationAndUpdate},
	{"SharedStore", TestSharedStore},
	{"StoreThatFails", TestStoreThatFails},
	{"SnapshotAndEvents", TestSnapshotAndEvents},
	{"RequestWithoutURL", TestRequestWithoutURL},
	{"HitCanBeCopiedWithoutABuffer", TestHitCanBeCopiedWithoutABuffer},
	{"ContentIsAnsweredFromTheCache", TestContentIsAnsweredFromTheCache},
	{"WhatMakesAnotherContentKey", TestWhatMakesAnotherContentKey},
	{"Routes", TestRoutes},
	{"WhatIsNotStoredOfContent", TestWhatIsNotStoredOfContent},
	{"ContentOfUnknownLength", TestContentOfUnknownLength},
	{"StreamsAreStoredOnlyWhenTheyEndProperly", TestStreamsAreStoredOnlyWhenTheyEndProperly},
	{"WithComplete", TestWithComplete},
	{"ConcurrentMissesMakeOneRequest", TestConcurrentMissesMakeOneRequest},
	{"ConcurrentContentMakesOneRequest", TestConcurrentContentMakesOneRequest},
	{"FollowersReadTheGrowingBody", TestFollowersReadTheGrowingBody},
	{"LeadersCancelDoesNotKillTheFollowers", TestLeadersCancelDoesNotKillTheFollowers},
	{"UpstreamRequestEndsWithTheLastCaller", TestUpstreamRequestEndsWithTheLastCaller},
	{"AbandonedBodiesEndTheUpstreamRequest", TestAbandonedBodiesEndTheUpstreamRequest},
	{"UncacheableAnswerReleasesTheFollowersInParallel", TestUncacheableAnswerReleasesTheFollowersInParallel},
	{"FollowersOfAnotherVariantAreReleased", TestFollowersOfAnotherVariantAreReleased},
	{"AnswerThatNobodyWantsAnyMoreIsClosed", TestAnswerThatNobodyWantsAnyMoreIsClosed},
	{"AnswersThatMayNotBeReusedAreNotShared", TestAnswersThatMayNotBeReusedAreNotShared},
	{"NobodyJoinsWhatWasAskedForBeforeAChange", TestNobodyJoinsWhatWasAskedForBeforeAChange},
	{"FollowersDirectivesCount", TestFollowersDirectivesCount},
	{"ConfirmedAnswerThatIsPrivateNow", TestConfirmedAnswerThatIsPrivateNow},
	{"RevalidationIsShared", TestRevalidationIsShared},
	{"BodyThatEndsBecauseItIsClosed", TestBodyThatEndsBecauseItIsClosed},
	{"StoredBetweenTheLookAndTheFlight", TestStoredBetweenTheLookAndTheFlight},
	{"DeadlineInTheBodyIsADeadlineBelow", TestDeadlineInTheBodyIsADeadlineBelow},
	{"ErrorsAreShared", TestErrorsAreShared},
	{"FollowerWithMoreTimeTriesAgain", TestFollowerWithMoreTimeTriesAgain},
	{"PanicBelow", TestPanicBelow},
	{"PanicInTheBody", TestPanicInTheBody},
	{"OutcomeDecidedBelowReachesTheStagesAbove", TestOutcomeDecidedBelowReachesTheStagesAbove},
	{"SharedBodyOverTheLimit", TestSharedBodyOverTheLimit},
	{"ManyCallersAtOnce", TestManyCallersAtOnce},
	{"ZipfPromptsFromAColdStart", TestZipfPromptsFromAColdStart},
	{"PurgeOfARequestIsOfItsURLForAll", TestPurgeOfARequestIsOfItsURLForAll},
	{"PurgeOfAContentIsOfThatContent", TestPurgeOfAContentIsOfThatContent},
	{"PurgeByTag", TestPurgeByTag},
	{"AnswersWithUnusableTagsAreNotStored", TestAnswersWithUnusableTagsAreNotStored},
	{"PurgeByPrefix", TestPurgeByPrefix},
	{"ManyPrefixes", TestManyPrefixes},
	{"PurgesDiscardWhatIsOnItsWay", TestPurgesDiscardWhatIsOnItsWay},
	{"AnswersWithoutABody", TestAnswersWithoutABody},
	{"CacheTests", TestCacheTests},
	{"RFC9211_2_CacheStatus", TestRFC9211_2_CacheStatus},
	{"RFC9111_5_2_2_5_NoStoreLeavesWhatIsStored", TestRFC9111_5_2_2_5_NoStoreLeavesWhatIsStored},
	{"RFC9110_15_2_InterimResponses", TestRFC9110_15_2_InterimResponses},
	{"PurgeOfAStoreThatCannotBeSearched", TestPurgeOfAStoreThatCannotBeSearched},
	{"RFC9111_4_3_2_CallersConditionsAreMerged", TestRFC9111_4_3_2_CallersConditionsAreMerged},
	{"RFC9111_4_1_AllVariantsAreOffered", TestRFC9111_4_1_AllVariantsAreOffered},
	{"RFC9111_4_3_5_Head", TestRFC9111_4_3_5_Head},
	{"RFC9111_4_3_5_HeadMakesStale", TestRFC9111_4_3_5_HeadMakesStale},
	{"HeadNeverMakesAnAnswer", TestHeadNeverMakesAnAnswer},
	{"RFC10008_Query", TestRFC10008_Query},
	{"QueryObeysTheRulesOfGet", TestQueryObeysTheRulesOfGet},
	{"QueryIsOptIn", TestQueryIsOptIn},
	{"QueriesThatPassBy", TestQueriesThatPassBy},
	{"RFC9875_3_CacheGroupInvalidation", TestRFC9875_3_CacheGroupInvalidation},
	{"GroupsFollowTheHeader", TestGroupsFollowTheHeader},
	{"TooManyGroups", TestTooManyGroups},
	{"RecordingsAreBoundedInSum", TestRecordingsAreBoundedInSum},
	{"AbandonedRecordingsAreGivenBack", TestAbandonedRecordingsAreGivenBack},
	{"AnswersCutOffByALimitOrAFilterAreNotStored", TestAnswersCutOffByALimitOrAFilterAreNotStored},
	{"MembersMeanNothingInRFCMode", TestMembersMeanNothingInRFCMode},
	{"StreamsAreNoAnswerToWhoWantsNone", TestStreamsAreNoAnswerToWhoWantsNone},
	{"ReplayIsPaced", TestReplayIsPaced},
	{"PauseEndsWithTheCaller", TestPauseEndsWithTheCaller},
	{"TTLJitter", TestTTLJitter},
	{"StaleGivesTheLastGoodAnswer", TestStaleGivesTheLastGoodAnswer},
	{"AnswersThatForbidIt", TestAnswersThatForbidIt},
	{"StoredErrorsAreNotTheLastGoodAnswer", TestStoredErrorsAreNotTheLastGoodAnswer},
	{"StaleFindsContentAndVariants", TestStaleFindsContentAndVariants},
	{"RFC5861_3_StaleWhileRevalidate", TestRFC5861_3_StaleWhileRevalidate},
	{"RFC5861_3_NotWhileRevalidating", TestRFC5861_3_NotWhileRevalidating},
	{"RefreshIsDetached", TestRefreshIsDetached},
	{"RefreshAfterAHead", TestRefreshAfterAHead},
	{"RefreshThatFails", TestRefreshThatFails},
	{"RefreshesAreBounded", TestRefreshesAreBounded},
	{"StopEndsTheRefreshes", TestStopEndsTheRefreshes},
	{"RefreshDoesNotUndoAnInvalidation", TestRefreshDoesNotUndoAnInvalidation},
	{"RFC5861_4_StaleIfError", TestRFC5861_4_StaleIfError},
	{"RFC5861_4_NotIfError", TestRFC5861_4_NotIfError},
	{"StaleIfErrorIsShared", TestStaleIfErrorIsShared},
	{"StaleIfErrorIsASuccess", TestStaleIfErrorIsASuccess},
	{"StaleIfErrorIsNotForThoseWhoLeft", TestStaleIfErrorIsNotForThoseWhoLeft},
	{"RFC9111_5_2_2_2_UnreachableIs504", TestRFC9111_5_2_2_2_UnreachableIs504},
	{"RefusalIsNot504", TestRefusalIsNot504},
	{"RFC9110_14_Range", TestRFC9110_14_Range},
	{"RFC9110_14_2_RangesThatPassBy", TestRFC9110_14_2_RangesThatPassBy},
	{"RFC9110_14_2_RangeIsIgnored", TestRFC9110_14_2_RangeIsIgnored},
	{"RangeOfWhatIsNotStored", TestRangeOfWhatIsNotStored},
	{"RangeOfWhatIsStale", TestRangeOfWhatIsStale},
	{"RangesAreNotShared", TestRangesAreNotShared},
	{"PanicInTheCheckOfCompleteness", TestPanicInTheCheckOfCompleteness},
	{"AnEditInPlaceChangesNobodyElsesAnswer", TestAnEditInPlaceChangesNobodyElsesAnswer},
	{"EditsInPlaceAtTheSameTime", TestEditsInPlaceAtTheSameTime},
}

// A test of behaviour that is not in the suite would only run over pointers.
func TestTheSuiteIsComplete(t *testing.T) {
	var listed []string
	for _, test := range suite {
		listed = append(listed, "Test"+test.name)
	}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), "_test.go") || file.Name() == "suite_test.go" || file.Name() == "main_test.go" {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		require.NoError(t, err)
		if parsed.Name.Name != "httpcache_test" {
			continue
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && strings.HasPrefix(f.Name.Name, "Test") && !slices.Contains(onlyOnce, f.Name.Name) {
				require.Contains(t, listed, f.Name.Name, "in %s", file.Name())
			}
		}
	}
}

// onlyOnce are tests that say nothing about stores, or that make their own.
var onlyOnce = []string{"TestEachPointHasItsTests", "TestEveryDetailIsDocumented", "TestConformance", "TestConformanceStoring", "TestConformanceWithoutCoalescing", "TestConformanceByContent", "TestHitOfASmallAnswerIsOneRead", "TestAnotherProcessFindsWhatIsStored", "TestBodiesThatNobodyNamesAreDeleted", "TestConfirmedAnswerKeepsItsBody", "TestDamagedStoreIsAMiss", "TestBodyThatIsGoneIsAMiss", "TestLostMarksAreMisses", "TestInvalidationReachesOtherProcesses", "TestFillOfAnotherProcessBegunBeforeAnInvalidation", "TestStoreThatHangs", "TestKeepStale", "TestInvalidationOutlivesItsCaller", "TestSoakAgainstAReferenceModel", "TestRouteSettingsThatAreWrong", "TestAllocations", "TestLargeHitIsNotCopied", "TestStoreTroubleIsToldOnce", "TestAStoreThatIsEmptyIsNotWell"}

// byteStore is the least that a store can be: bytes under keys, that are gone when their time is over.
type byteStore struct {
	mu     sync.Mutex
	values map[string][]byte
	ends   map[string]time.Time
	reads  int
	writes int
}

func (s *byteStore) Get(ctx context.Context, key any) (any, error) {
	v, _, err := s.GetWithTTL(ctx, key)
	return v, err
}

func (s *byteStore) GetWithTTL(_ context.Context, key any) (any, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	k := key.(string)
	v, ok := s.values[k]
	if end := s.ends[k]; !ok || !end.IsZero() && !time.Now().Before(end) {
		return nil, 0, store.NotFoundWithCause(nil)
	}
	return v, 0, nil
}

func (s *byteStore) Set(_ context.Context, key, value any, options ...store.Option) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.ends == nil {
		s.ends = map[string]time.Time{}
	}
	k := key.(string)
	s.values[k] = value.([]byte)
	delete(s.ends, k)
	if ttl := store.ApplyOptions(options...).Expiration; ttl > 0 {
		s.ends[k] = time.Now().Add(ttl)
	}
	return nil
}

func (s *byteStore) Delete(_ context.Context, key any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key.(string))
	return nil
}

func (s *byteStore) Invalidate(context.Context, ...store.InvalidateOption) error {
	return store.ErrNotSupported
}
func (s *byteStore) Clear(context.Context) error { return store.ErrNotSupported }
func (s *byteStore) GetType() string             { return "map" }
