#pragma once

#include <chrono>
#include <cstddef>

// Every limit of the registry room, in one place. Where one is hit, the caller gets an error that
// names the limit, or a log line does where there is no caller.
namespace skiff::registry {

// What the agent remembers.
inline constexpr std::size_t kMaxPublications = 1'000;
inline constexpr std::size_t kMaxSubscriptions = 20'000;
// Services watched because a request on the outbound port asked for them.
inline constexpr std::size_t kMaxOnDemandServices = 1'000;
// Registries that requests opened because the operator configured none.
inline constexpr std::size_t kMaxRegistriesOnRequest = 8;
// API calls that wait for a registry's confirmation.
inline constexpr std::size_t kMaxWaitingVerbs = 10'000;

// Sizes of what users give.
inline constexpr std::size_t kMaxNameBytes = 256;  // interface, group, version, application, method
inline constexpr std::size_t kMaxMethods = 1'000;
inline constexpr std::size_t kMaxParameters = 200;
inline constexpr std::size_t kMaxRegisteredUrlBytes = std::size_t{32} * 1024;

// An on-demand watch whose list is empty for so long is dropped.
inline constexpr std::chrono::seconds kOnDemandExpiry{60};
// How long after a failure the choice of the advertised address is tried again.
inline constexpr std::chrono::seconds kAddressRetryDelay{5};

// How long after a start a list of providers that an earlier process knew waits for somebody to ask
// for it.
inline constexpr std::chrono::minutes kRememberedListExpiry{60};

// The control thread's queues. What is over them is dropped, counted and logged.
inline constexpr std::size_t kMaxQueuedTasks = 100'000;
inline constexpr std::size_t kMaxTimers = 100'000;

// How long a publication with a lease stays without being renewed.
inline constexpr std::chrono::seconds kLeaseMin{1};
inline constexpr std::chrono::hours kLeaseMax{24};

// Health checks of local providers. An interval is no shorter than this.
inline constexpr std::chrono::milliseconds kCheckIntervalMin{100};
inline constexpr std::chrono::hours kCheckIntervalMax{1};
inline constexpr std::chrono::milliseconds kCheckTimeoutMin{1};
inline constexpr std::chrono::hours kCheckTimeoutMax{1};
// Checks in a row that it may take to be up or down.
inline constexpr unsigned kChecksInARowMax = 1'000;
// A provider that goes down again within the memory of its coming up has to pass its checks for a
// pause before it is registered again; the pause doubles each time.
inline constexpr std::chrono::seconds kFlapMemory{180};
inline constexpr std::chrono::seconds kFlapPauseMin{5};
inline constexpr std::chrono::seconds kFlapPauseMax{60};
// What a provider may send on the connection of its checks, in one frame and between two checks;
// one that sends more fails the check. Of its events, shorter ones are answered.
inline constexpr std::size_t kCheckInputMaxBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kCheckEventMaxBytes = 64;
// Where the connection of a check is lost, the next one is made after this part of the interval.
inline constexpr int kCheckHurryDivisor = 4;

// Weights that a young provider is registered with, one after the other (weight_steps.h). Steps
// that would be shorter than this are not made.
inline constexpr unsigned kMaxWeightSteps = 10;
inline constexpr std::chrono::milliseconds kWeightStepMin{100};
// A step comes late by a random part of its length, up to this one of it: many providers that came
// together do not all step together.
inline constexpr int kWeightStepJitterDivisor = 10;

// Providers of one interface that one registry may list; the rest of the list is left out.
inline constexpr std::size_t kMaxProvidersPerInterface = 50'000;

// A provider's own timestamp is believed where it differs by no more than so much from the time at
// which the registry saw it come.
inline constexpr std::chrono::seconds kProviderClockTolerance{5};
// So wrong a provider's clock may be; those whose timestamps are older than this and their warm-up
// are warm, and their coming is of no interest. More than what a wrong time zone often makes.
inline constexpr std::chrono::hours kProviderClockErrorMax{2};
// A provider that is gone for no longer is the same one when it comes back.
inline constexpr std::chrono::minutes kGoneProviderMemory{10};
// Creation times of nodes are asked for in turns: so many in a turn, and so many at a time. No more
// wait for that; others keep their own timestamps until their list is read again.
inline constexpr std::chrono::milliseconds kAgeTurn{50};
inline constexpr std::size_t kMaxAgesPerTurn = 10;
inline constexpr std::size_t kMaxAgesUnderWay = 20;
inline constexpr std::size_t kMaxAgesWaiting = 20'000;
// A list is reported again for creation times once in so long at most.
inline constexpr std::chrono::seconds kAgeReportPause{1};

// Lists that a registry is asked for at one time: what it answers waits in memory until it is
// looked at.
inline constexpr std::size_t kListsReadAtOnce = 256;

// Rules. What a registry holds beyond these is left out, or stays as it last was: so many rule URLs
// of an interface, documents of one registry, bytes of a document (ZooKeeper takes no more) and of
// all of them together.
inline constexpr std::size_t kMaxRuleUrlsPerInterface = 1'000;
inline constexpr std::size_t kMaxRuleDocuments = 10'000;
inline constexpr std::size_t kMaxRuleDocumentBytes = std::size_t{1024} * 1024;
inline constexpr std::size_t kMaxRuleDocumentBytesKept = std::size_t{32} * 1024 * 1024;
// Versions, groups and applications of one interface whose documents are looked for.
inline constexpr std::size_t kMaxRuleSubjectsPerInterface = 256;
// Nodes that are read at one time for rules, and interfaces that are looked at for the first time:
// as many as lists, so that lists and rules of many interfaces come side by side.
inline constexpr std::size_t kRulesReadAtOnce = kListsReadAtOnce;
// So long a list of providers, or a publication, waits for rules that are not known yet.
inline constexpr std::chrono::milliseconds kRulesWait{1'000};

// A service's list is rebuilt once in so long at most, however often it changes.
inline constexpr std::chrono::milliseconds kRebuildPause{50};

// Providers that vanish within so long vanish at once.
inline constexpr std::chrono::seconds kVanishWindow{10};
// A service with fewer providers is never braked: one of one says nothing.
inline constexpr std::size_t kMinProvidersToBrake = 2;
// Probes of held providers: so many at a time, and so many a second, over all services; an address
// is probed once for all of them. Others wait for their turn, and stay held meanwhile.
inline constexpr std::size_t kMaxProbesUnderWay = 64;
inline constexpr std::size_t kMaxProbesPerSecond = 100;
// What a probe may take.
inline constexpr std::chrono::milliseconds kProbeTime{2'000};
// The pauses between two probes of an address that answers.
inline constexpr std::chrono::milliseconds kFirstProbePause{1'000};
inline constexpr std::chrono::milliseconds kLongestProbePause{30'000};
// An address that refuses connections is dead at once; one that is silent, after so many probes.
inline constexpr unsigned kSilentProbesToBeDead = 3;

// Lists of a registry that are read again, and nodes of ours that are looked for, a second at most,
// when all is checked for what no event told.
inline constexpr std::size_t kMaxChecksPerSecond = 200;

// Nodes that one agent creates or deletes in a ZooKeeper registry: so many at once, more than most
// machines have services, then so many a second, so that kMaxPublications are there within two
// seconds. An ensemble of three takes some 10,000 writes a second from all its clients together.
inline constexpr std::size_t kWriteBurst = 100;
inline constexpr std::size_t kWritesPerSecond = 500;
// How long at most nodes wait before they are written into a new session, for each of them and in
// all. Others may have lost theirs, or been started, at the same moment: a thousand agents then
// write 10,000 nodes a second together.
inline constexpr std::chrono::milliseconds kSpreadPerNode{100};
inline constexpr std::chrono::milliseconds kLongestSpread{1'000};

// Application-level discovery: what mapping nodes, instances and metadata may hold, which other
// machines wrote.
inline constexpr std::size_t kMaxApplicationsOfInterface = 100;
inline constexpr std::size_t kMaxInstancesOfApplication = 10'000;
inline constexpr std::size_t kMaxInstanceBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxServicesOfApplication = 10'000;
inline constexpr std::size_t kMaxMetadataBytes = std::size_t{2} * 1024 * 1024;
// All metadata that is kept, about.
inline constexpr std::size_t kMaxMetadataBytesKept = std::size_t{64} * 1024 * 1024;
// Readings of such nodes that one registry has under way; others wait for their turn.
inline constexpr std::size_t kMaxNodeReadingsUnderWay = 10'000;
// Calls of providers' MetadataService: so many at a time, each with its time.
inline constexpr std::size_t kMaxMetadataCallsUnderWay = 32;
inline constexpr std::chrono::milliseconds kMetadataCallTime{3'000};
// So long a first list of providers waits for metadata; then it comes without.
inline constexpr std::chrono::milliseconds kMetadataWait{500};
// What is wrong with it is logged once in so long for each kind of fault.
inline constexpr std::chrono::seconds kFaultLogPause{10};
// What the agent writes there. A ZooKeeper server takes no request over 1 MiB (jute.maxbuffer): it
// closes the connection.
inline constexpr std::size_t kMaxNodeBytes = 1'000'000;
inline constexpr std::size_t kMaxMappingBytes = std::size_t{64} * 1024;
// So often a node is read that others change at the same moment; then it waits.
inline constexpr int kMaxNodeReadings = 10;
// An application is written when nothing of it has changed for so long, or after so long at the
// latest: each revision is a node for ever.
inline constexpr std::chrono::milliseconds kApplicationPause{50};
inline constexpr std::chrono::milliseconds kLongestApplicationPause{1'000};
// The pauses between attempts to get metadata that is not there.
inline constexpr std::chrono::milliseconds kFirstMetadataPause{1'000};
inline constexpr std::chrono::milliseconds kLongestMetadataPause{30'000};

}  // namespace skiff::registry
