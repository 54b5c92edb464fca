/** Raw image files as volumes; docs/design/image-provider.md has the layout, the facts and the failure table. */
@NullMarked
package io.tidemark.provider.image;

import org.jspecify.annotations.NullMarked;
