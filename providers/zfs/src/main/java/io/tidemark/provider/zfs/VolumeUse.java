package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderException;

/** Who has a volume open: a file system is mounted, the device of a zvol is opened. */
record VolumeUse(MountTable mounts, ZvolDevices devices) {
    /** @throws ProviderException Busy */
    void refuse(Object object, ZfsObject volume) throws ProviderException {
        if (volume.isFileSystem()) {
            mounts.refuseWhileMounted(object, volume.name());
        } else {
            devices.refuseWhileUsed(object, volume.name());
        }
    }
}
