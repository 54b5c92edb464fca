/** Thin logical volumes of LVM as volumes, by LVM's own programs. */
@NullMarked
package io.tidemark.provider.lvm;

import org.jspecify.annotations.NullMarked;
