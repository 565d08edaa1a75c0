// SPDX-License-Identifier: GPL-2.0-or-later
/* Adapters: enumerate, open, query, close; good and bad input. */
#include <uapi/dxgpu_umd.h>
#include "api.h"

static LUID first_luid;

static void close_all(const D3DKMT_ADAPTERINFO *infos, UINT count)
{
	UINT i;

	for (i = 0; i < count; i++) {
		D3DKMT_CLOSEADAPTER close = { .hAdapter = infos[i].hAdapter };

		expect(D3DKMTCloseAdapter(&close), STATUS_SUCCESS, "close adapter %u", i);
	}
}

static void test_enumerate3(void)
{
	D3DKMT_ENUMADAPTERS3 adapters = { .Filter.IncludeComputeOnly = 1 };
	D3DKMT_ADAPTERINFO infos[4];
	UINT count;

	expect(D3DKMTEnumAdapters3(NULL), STATUS_INVALID_PARAMETER, "EnumAdapters3(NULL)");
	expect(D3DKMTEnumAdapters3(&adapters), STATUS_SUCCESS, "count adapters");
	count = adapters.NumAdapters;
	ok(count >= 1, "there is at least one adapter");
	adapters.NumAdapters = 4;
	adapters.pAdapters = infos;
	expect(D3DKMTEnumAdapters3(&adapters), STATUS_SUCCESS, "enumerate adapters");
	ok(adapters.NumAdapters >= 1 && infos[0].hAdapter, "the first one has a handle");
	ok(!infos[0].NumOfSources, "it has no display source");
	first_luid = infos[0].AdapterLuid;
	close_all(infos, adapters.NumAdapters);

	adapters.Filter.Value = 8;
	expect(D3DKMTEnumAdapters3(&adapters), STATUS_INVALID_PARAMETER,
	       "a reserved filter bit");
	adapters.Filter.Value = 1;
	adapters.NumAdapters = 4;
	adapters.pAdapters = BAD_POINTER;
	expect(D3DKMTEnumAdapters3(&adapters), STATUS_ACCESS_VIOLATION,
	       "an unreadable array");
	adapters.NumAdapters = 0;
	adapters.pAdapters = infos;
	expect(D3DKMTEnumAdapters3(&adapters), STATUS_BUFFER_TOO_SMALL,
	       "an array of no adapters");
}

static void test_enumerate2(void)
{
	D3DKMT_ENUMADAPTERS2 adapters = { 0 };
	D3DKMT_ADAPTERINFO infos[4];

	expect(D3DKMTEnumAdapters2(NULL), STATUS_INVALID_PARAMETER, "EnumAdapters2(NULL)");
	expect(D3DKMTEnumAdapters2(&adapters), STATUS_SUCCESS, "count adapters");
	adapters.NumAdapters = 4;
	adapters.pAdapters = infos;
	expect(D3DKMTEnumAdapters2(&adapters), STATUS_SUCCESS, "enumerate adapters");
	ok(!memcmp(&infos[0].AdapterLuid, &first_luid, sizeof(first_luid)),
	   "the same LUID");
	close_all(infos, adapters.NumAdapters);
}

static D3DKMT_HANDLE test_open(void)
{
	D3DKMT_OPENADAPTERFROMLUID open = { .AdapterLuid = first_luid };
	D3DKMT_OPENADAPTERFROMLUID wrong = { .AdapterLuid = { 0xdead, 0xbeef } };
	D3DKMT_CLOSEADAPTER close;

	expect(D3DKMTOpenAdapterFromLuid(NULL), STATUS_INVALID_PARAMETER,
	       "OpenAdapterFromLuid(NULL)");
	expect(D3DKMTOpenAdapterFromLuid(&wrong), STATUS_INVALID_PARAMETER,
	       "an unknown LUID");
	expect(D3DKMTOpenAdapterFromLuid(&open), STATUS_SUCCESS, "open by LUID");
	close.hAdapter = open.hAdapter;
	expect(D3DKMTCloseAdapter(&close), STATUS_SUCCESS, "close it");
	expect(D3DKMTCloseAdapter(&close), STATUS_INVALID_PARAMETER, "close it again");
	close.hAdapter = 0;
	expect(D3DKMTCloseAdapter(&close), STATUS_INVALID_PARAMETER, "close handle 0");
	close.hAdapter = BAD_HANDLE;
	expect(D3DKMTCloseAdapter(&close), STATUS_INVALID_PARAMETER, "close a wild handle");
	expect(D3DKMTCloseAdapter(NULL), STATUS_INVALID_PARAMETER, "CloseAdapter(NULL)");
	ok(strstr(dxg_last_error(), "D3DKMTCloseAdapter"), "the text names the call: %s",
	   dxg_last_error());
	expect(D3DKMTOpenAdapterFromLuid(&open), STATUS_SUCCESS, "open once more");
	return open.hAdapter;
}

static NTSTATUS query(D3DKMT_HANDLE adapter, UINT type, void *data, UINT bytes)
{
	D3DKMT_QUERYADAPTERINFO info = {
		.hAdapter = adapter,
		.Type = (KMTQUERYADAPTERINFOTYPE)type,
		.pPrivateDriverData = data,
		.PrivateDriverDataSize = bytes,
	};

	return D3DKMTQueryAdapterInfo(&info);
}

static void test_caps(D3DKMT_HANDLE adapter)
{
	struct dxgpu_umd_caps caps = { 0 };

	expect(query(adapter, KMTQAITYPE_UMDRIVERPRIVATE, &caps, sizeof(caps)),
	       STATUS_SUCCESS, "query the device's limits");
	ok(caps.size == sizeof(caps) && caps.num_nodes >= 1 && caps.num_slots >= 1,
	   "%u nodes, %u slots", caps.num_nodes, caps.num_slots);
	ok(caps.gpuva_bits >= 32 && caps.doorbell_bytes == 8 &&
	   caps.ring_min_entries <= caps.ring_max_entries &&
	   caps.max_command_bytes >= 4096 && caps.max_transfer_bytes >= 16384,
	   "limits are sane");
	expect(query(adapter, KMTQAITYPE_UMDRIVERPRIVATE, &caps, 8),
	       STATUS_BUFFER_TOO_SMALL, "a buffer of 8 bytes");
	expect(query(adapter, KMTQAITYPE_UMDRIVERPRIVATE, BAD_POINTER, sizeof(caps)),
	       STATUS_ACCESS_VIOLATION, "an unwritable buffer");
}

static void test_query(D3DKMT_HANDLE adapter)
{
	D3DKMT_NODEMETADATA node = { 0 };
	D3DKMT_ADAPTERTYPE type;
	UINT count = 0;

	expect(query(adapter, KMTQAITYPE_ADAPTERTYPE, &type, sizeof(type)),
	       STATUS_SUCCESS, "query the adapter type");
	ok(type.RenderSupported && !type.DisplaySupported, "it renders, it has no display");
	expect(query(adapter, KMTQAITYPE_PHYSICALADAPTERCOUNT, &count, sizeof(count)),
	       STATUS_SUCCESS, "query the number of physical adapters");
	ok(count == 1, "it is one");
	expect(query(adapter, KMTQAITYPE_NODEMETADATA, &node, sizeof(node)),
	       STATUS_SUCCESS, "query node 0");
	ok(node.NodeData.Flags.UserModeSubmission && node.NodeData.GpuMmuSupported,
	   "it takes user-mode submission and has an MMU");
	node.NodeOrdinalAndAdapterIndex = 999;
	expect(query(adapter, KMTQAITYPE_NODEMETADATA, &node, sizeof(node)),
	       STATUS_INVALID_PARAMETER, "query node 999");
	expect(query(adapter, 9999, &node, sizeof(node)), STATUS_INVALID_PARAMETER,
	       "query type 9999");
	expect(query(BAD_HANDLE, KMTQAITYPE_ADAPTERTYPE, &type, sizeof(type)),
	       STATUS_INVALID_PARAMETER, "query a wild handle");
	expect(D3DKMTQueryAdapterInfo(NULL), STATUS_INVALID_PARAMETER,
	       "QueryAdapterInfo(NULL)");
}

int main(void)
{
	D3DKMT_CLOSEADAPTER close = { .hAdapter = BAD_HANDLE };
	D3DKMT_HANDLE adapter;

	expect(D3DKMTCloseAdapter(&close), STATUS_INVALID_PARAMETER,
	       "a call with a handle before any adapter was opened");
	test_enumerate3();
	test_enumerate2();
	adapter = test_open();
	test_caps(adapter);
	test_query(adapter);
	return done();
}
