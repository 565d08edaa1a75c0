/* SPDX-License-Identifier: MIT */
/* The inside of a session; all fields are constant after dxg_session_open(). */
#ifndef DXG_SRC_SESSION_H
#define DXG_SRC_SESSION_H

#include <dxg/submit.h>
#include <uapi/dxgpu_umd.h>

struct dxg_session {
	UINT instance;			/* dxg_kernel_instance() of the maker */
	struct dxg_session_handles handles;
	struct dxgpu_umd_caps caps;
};

/* STATUS_INVALID_PARAMETER if session is NULL or of another process (UMD-11). */
NTSTATUS dxg_session_check(const struct dxg_session *session, const char *function);

#endif /* DXG_SRC_SESSION_H */
