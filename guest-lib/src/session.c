// SPDX-License-Identifier: MIT
/* Opening and closing a session: adapter, device, paging queue, context. */
#include <stdlib.h>
#include "kernel.h"
#include "session.h"

#define MAX_ADAPTERS	64

NTSTATUS dxg_session_check(const struct dxg_session *session, const char *function)
{
	if (!session)
		return dxg_report(STATUS_INVALID_PARAMETER, "%s: the session is NULL",
				  function);
	if (session->instance != dxg_kernel_instance())
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "%s: the session belongs to another process (fork)",
				  function);
	return STATUS_SUCCESS;
}

/* Enumerating opens every adapter; those that are not wanted are closed again. */
static NTSTATUS open_adapter(UINT index, D3DKMT_HANDLE *adapter)
{
	D3DKMT_ADAPTERINFO infos[MAX_ADAPTERS];
	D3DKMT_ENUMADAPTERS3 adapters = {
		.Filter.IncludeComputeOnly = 1,
		.NumAdapters = MAX_ADAPTERS,
		.pAdapters = infos,
	};
	NTSTATUS status = D3DKMTEnumAdapters3(&adapters);
	UINT i;

	if (!NT_SUCCESS(status))
		return status;
	for (i = 0; i < adapters.NumAdapters && i < MAX_ADAPTERS; i++) {
		D3DKMT_CLOSEADAPTER close = { .hAdapter = infos[i].hAdapter };

		if (i == index)
			*adapter = infos[i].hAdapter;
		else
			D3DKMTCloseAdapter(&close);
	}
	if (index >= adapters.NumAdapters)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "dxg_session_open: adapter_index %u, %u adapters",
				  index, adapters.NumAdapters);
	return STATUS_SUCCESS;
}

static NTSTATUS query(D3DKMT_HANDLE adapter, KMTQUERYADAPTERINFOTYPE type, void *data,
		      UINT bytes)
{
	D3DKMT_QUERYADAPTERINFO info = {
		.hAdapter = adapter,
		.Type = type,
		.pPrivateDriverData = data,
		.PrivateDriverDataSize = bytes,
	};

	return D3DKMTQueryAdapterInfo(&info);
}

static NTSTATUS node_has_submission(D3DKMT_HANDLE adapter, UINT node, BOOL *has)
{
	D3DKMT_NODEMETADATA data = { .NodeOrdinalAndAdapterIndex = node };
	NTSTATUS status = query(adapter, KMTQAITYPE_NODEMETADATA, &data, sizeof(data));

	*has = NT_SUCCESS(status) && data.NodeData.Flags.UserModeSubmission;
	return status;
}

/* Replaces DXG_NODE_ANY by the first node that will do, checks any other. */
static NTSTATUS choose_node(const struct dxg_session *session, UINT *node)
{
	UINT first = *node == DXG_NODE_ANY ? 0 : *node;
	UINT last = *node == DXG_NODE_ANY ? session->caps.num_nodes : *node + 1;
	NTSTATUS status;
	BOOL has;
	UINT i;

	if (last > session->caps.num_nodes)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "dxg_session_open: node %u, %u nodes", *node,
				  session->caps.num_nodes);
	for (i = first; i < last; i++) {
		status = node_has_submission(session->handles.adapter, i, &has);
		if (!NT_SUCCESS(status))
			return status;
		if (has) {
			*node = i;
			return STATUS_SUCCESS;
		}
	}
	return dxg_report(STATUS_NOT_SUPPORTED,
			  "dxg_session_open: nodes %u..%u have no user-mode submission",
			  first, last - 1);
}

static NTSTATUS create_device(struct dxg_session_handles *handles)
{
	D3DKMT_CREATEDEVICE device = { .hAdapter = handles->adapter };
	D3DKMT_CREATEPAGINGQUEUE paging = { 0 };
	D3DKMT_CREATECONTEXTVIRTUAL context = { 0 };
	NTSTATUS status = D3DKMTCreateDevice(&device);

	if (!NT_SUCCESS(status))
		return status;
	handles->device = device.hDevice;

	paging.hDevice = device.hDevice;
	status = D3DKMTCreatePagingQueue(&paging);
	if (!NT_SUCCESS(status))
		return status;
	handles->paging_queue = paging.hPagingQueue;
	handles->paging_fence = paging.hSyncObject;

	context.hDevice = device.hDevice;
	context.NodeOrdinal = handles->node;
	context.Flags.HwQueueSupported = 1;
	status = D3DKMTCreateContextVirtual(&context);
	if (NT_SUCCESS(status))
		handles->context = context.hContext;
	return status;
}

static NTSTATUS check_options(const struct dxg_session_options *options)
{
	if (options->size != sizeof(*options) || options->reserved)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "dxg_session_open: options.size %u (%zu), reserved %u (0)",
				  options->size, sizeof(*options),
				  options->reserved);
	return STATUS_SUCCESS;
}

NTSTATUS dxg_session_open(const struct dxg_session_options *options,
			  struct dxg_session **out)
{
	struct dxg_session_options defaults = {
		.size = sizeof(defaults),
		.node = DXG_NODE_ANY,
	};
	struct dxg_session *session;
	NTSTATUS status;

	if (!out)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "%s: the result pointer is NULL", __func__);
	*out = NULL;
	if (!options)
		options = &defaults;
	status = check_options(options);
	if (!NT_SUCCESS(status))
		return status;
	session = calloc(1, sizeof(*session));
	if (!session)
		return dxg_report(STATUS_NO_MEMORY, "%s: no memory for a session",
				  __func__);

	status = open_adapter(options->adapter_index, &session->handles.adapter);
	session->instance = dxg_kernel_instance();
	if (NT_SUCCESS(status))
		status = query(session->handles.adapter, KMTQAITYPE_UMDRIVERPRIVATE,
			       &session->caps, sizeof(session->caps));
	session->handles.node = options->node;
	if (NT_SUCCESS(status))
		status = choose_node(session, &session->handles.node);
	if (NT_SUCCESS(status))
		status = create_device(&session->handles);
	if (!NT_SUCCESS(status)) {
		dxg_session_close(session);
		return status;
	}
	*out = session;
	return STATUS_SUCCESS;
}

void dxg_session_close(struct dxg_session *session)
{
	D3DKMT_DESTROYDEVICE device;
	D3DKMT_CLOSEADAPTER adapter;

	if (!session)
		return;
	if (session->instance == dxg_kernel_instance()) {
		device.hDevice = session->handles.device;
		if (device.hDevice)
			D3DKMTDestroyDevice(&device);
		adapter.hAdapter = session->handles.adapter;
		if (adapter.hAdapter)
			D3DKMTCloseAdapter(&adapter);
	}
	free(session);
}

void dxg_session_get_handles(const struct dxg_session *session,
			     struct dxg_session_handles *handles)
{
	*handles = session->handles;
}
