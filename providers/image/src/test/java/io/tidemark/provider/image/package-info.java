/** Tests of image files as volumes. */
@NullMarked
package io.tidemark.provider.image;

import org.jspecify.annotations.NullMarked;
