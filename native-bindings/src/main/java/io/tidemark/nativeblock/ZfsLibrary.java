package io.tidemark.nativeblock;

import jnr.ffi.annotations.In;
import jnr.ffi.types.int32_t;
import jnr.ffi.types.u_int32_t;
import jnr.ffi.types.u_int64_t;
import jnr.ffi.types.uintptr_t;

/**
 * What is used of {@code libzfs_core.h} and {@code libnvpair.h}, under the C names. Addresses point to lists and
 * pairs of names and values, which belong to the library until {@code nvlist_free}.
 */
public interface ZfsLibrary {
    @int32_t
    int libzfs_core_init();

    @int32_t
    int lzc_snapshot(@uintptr_t long snapshots, @uintptr_t long properties, @uintptr_t long errors);

    @int32_t
    int lzc_channel_program_nosync(
            @In byte[] pool,
            @In byte[] program,
            @u_int64_t long instructions,
            @u_int64_t long memoryBytes,
            @uintptr_t long arguments,
            @uintptr_t long answer);

    @int32_t
    int nvlist_alloc(@uintptr_t long list, @u_int32_t int flags, @int32_t int sleeping);

    void nvlist_free(@uintptr_t long list);

    @int32_t
    int nvlist_add_boolean(@uintptr_t long list, @In byte[] name);

    @int32_t
    int nvlist_add_string(@uintptr_t long list, @In byte[] name, @In byte[] value);

    @int32_t
    int nvlist_lookup_nvlist(@uintptr_t long list, @In byte[] name, @uintptr_t long value);

    @int32_t
    int nvlist_lookup_int64(@uintptr_t long list, @In byte[] name, @uintptr_t long value);

    @uintptr_t
    long nvlist_next_nvpair(@uintptr_t long list, @uintptr_t long pair);

    String nvpair_name(@uintptr_t long pair);

    @int32_t
    int nvpair_value_int32(@uintptr_t long pair, @uintptr_t long value);
}
