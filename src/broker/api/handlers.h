// The functions that handle requests, one per API. Each answers its request once, at once or later.
//
// All run on a network thread and must not block: what waits for the disk goes through BrokerContext::admin, what
// waits for an event captures the reply.
#pragma once

#include "broker/api/request.h"
#include "wire/messages/add_offsets_to_txn.h"
#include "wire/messages/add_partitions_to_txn.h"
#include "wire/messages/alter_configs.h"
#include "wire/messages/api_versions.h"
#include "wire/messages/create_partitions.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/delete_groups.h"
#include "wire/messages/delete_records.h"
#include "wire/messages/delete_topics.h"
#include "wire/messages/describe_cluster.h"
#include "wire/messages/describe_configs.h"
#include "wire/messages/describe_groups.h"
#include "wire/messages/describe_log_dirs.h"
#include "wire/messages/describe_producers.h"
#include "wire/messages/describe_topic_partitions.h"
#include "wire/messages/describe_transactions.h"
#include "wire/messages/end_txn.h"
#include "wire/messages/fetch.h"
#include "wire/messages/find_coordinator.h"
#include "wire/messages/heartbeat.h"
#include "wire/messages/incremental_alter_configs.h"
#include "wire/messages/init_producer_id.h"
#include "wire/messages/join_group.h"
#include "wire/messages/leave_group.h"
#include "wire/messages/list_groups.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/list_partition_reassignments.h"
#include "wire/messages/list_transactions.h"
#include "wire/messages/metadata.h"
#include "wire/messages/offset_commit.h"
#include "wire/messages/offset_delete.h"
#include "wire/messages/offset_fetch.h"
#include "wire/messages/offset_for_leader_epoch.h"
#include "wire/messages/produce.h"
#include "wire/messages/sync_group.h"
#include "wire/messages/txn_offset_commit.h"
#include "wire/messages/write_txn_markers.h"

namespace muir::broker {

template <class Request>
using HandlerOf = void(BrokerContext&, const RequestInfo&, Request, Reply<typename Request::Response>);

// handle_produce.cc, handle_fetch.cc, handle_list_offsets.cc
HandlerOf<wire::ProduceRequest> handle_produce;
HandlerOf<wire::FetchRequest> handle_fetch;
HandlerOf<wire::ListOffsetsRequest> handle_list_offsets;
HandlerOf<wire::OffsetForLeaderEpochRequest> handle_offset_for_leader_epoch;

// handle_metadata.cc
HandlerOf<wire::MetadataRequest> handle_metadata;
HandlerOf<wire::DescribeClusterRequest> handle_describe_cluster;
HandlerOf<wire::DescribeTopicPartitionsRequest> handle_describe_topic_partitions;

// handle_api_versions.cc
HandlerOf<wire::ApiVersionsRequest> handle_api_versions;
wire::ApiVersionsResponse api_versions_response();

// handle_topics.cc
HandlerOf<wire::CreateTopicsRequest> handle_create_topics;
HandlerOf<wire::DeleteTopicsRequest> handle_delete_topics;
HandlerOf<wire::CreatePartitionsRequest> handle_create_partitions;
HandlerOf<wire::DeleteRecordsRequest> handle_delete_records;

// handle_configs.cc
HandlerOf<wire::DescribeConfigsRequest> handle_describe_configs;
HandlerOf<wire::AlterConfigsRequest> handle_alter_configs;
HandlerOf<wire::IncrementalAlterConfigsRequest> handle_incremental_alter_configs;

// handle_groups.cc
HandlerOf<wire::FindCoordinatorRequest> handle_find_coordinator;
HandlerOf<wire::JoinGroupRequest> handle_join_group;
HandlerOf<wire::SyncGroupRequest> handle_sync_group;
HandlerOf<wire::HeartbeatRequest> handle_heartbeat;
HandlerOf<wire::LeaveGroupRequest> handle_leave_group;
HandlerOf<wire::OffsetCommitRequest> handle_offset_commit;
HandlerOf<wire::OffsetFetchRequest> handle_offset_fetch;
HandlerOf<wire::DescribeGroupsRequest> handle_describe_groups;
HandlerOf<wire::ListGroupsRequest> handle_list_groups;
HandlerOf<wire::DeleteGroupsRequest> handle_delete_groups;
HandlerOf<wire::OffsetDeleteRequest> handle_offset_delete;

// handle_txns.cc
HandlerOf<wire::InitProducerIdRequest> handle_init_producer_id;
HandlerOf<wire::AddPartitionsToTxnRequest> handle_add_partitions_to_txn;
HandlerOf<wire::AddOffsetsToTxnRequest> handle_add_offsets_to_txn;
HandlerOf<wire::EndTxnRequest> handle_end_txn;
HandlerOf<wire::WriteTxnMarkersRequest> handle_write_txn_markers;
HandlerOf<wire::TxnOffsetCommitRequest> handle_txn_offset_commit;
HandlerOf<wire::DescribeTransactionsRequest> handle_describe_transactions;
HandlerOf<wire::ListTransactionsRequest> handle_list_transactions;

// handle_inspection.cc
HandlerOf<wire::DescribeLogDirsRequest> handle_describe_log_dirs;
HandlerOf<wire::DescribeProducersRequest> handle_describe_producers;
HandlerOf<wire::ListPartitionReassignmentsRequest> handle_list_partition_reassignments;

}  // namespace muir::broker
