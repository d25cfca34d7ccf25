// Pictures: read, made smaller, written. libpng and libjpeg, with nothing of the library in it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
// jpeglib.h needs cstdio before it.
#include <jpeglib.h>
#include <png.h>

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace thumbnails {

/// Red, green and blue of each point, a byte each, row by row from the top.
struct Picture {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> bytes;

  [[nodiscard]] std::size_t row() const { return width * 3; }
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

inline File open(const std::string& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  if (file == nullptr) throw std::runtime_error(std::strerror(errno));
  return file;
}

inline Picture read_png(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  // Frees what the image holds, whatever happens.
  const std::unique_ptr<png_image, decltype(&png_image_free)> held(&image, png_image_free);
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) {
    throw std::runtime_error(image.message);
  }
  image.format = PNG_FORMAT_RGB;
  Picture picture{image.width, image.height, std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
  const png_color white{255, 255, 255};  // behind what is transparent
  if (png_image_finish_read(&image, &white, picture.bytes.data(), 0, nullptr) == 0) {
    throw std::runtime_error(image.message);
  }
  return picture;
}

inline void write_png(const Picture& picture, const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&image, path.c_str(), 0, picture.bytes.data(), 0, nullptr) == 0) {
    throw std::runtime_error(image.message);
  }
}

/// libjpeg ends the program on errors unless it is told otherwise: this jumps out of it.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf out;
  char text[JMSG_LENGTH_MAX];

  template <class Codec>
  void attach(Codec& codec) {
    codec.err = jpeg_std_error(&base);
    base.error_exit = [](j_common_ptr failed) {
      auto* const self = reinterpret_cast<JpegErrors*>(failed->err);
      failed->err->format_message(failed, self->text);
      std::longjmp(self->out, 1);
    };
    // A picture that is damaged in its middle is an error too, and nothing is written to stderr.
    base.emit_message = [](j_common_ptr failed, int level) {
      if (level < 0) failed->err->error_exit(failed);
    };
  }
};

// No object with a destructor may be made between setjmp and longjmp: the two functions that use
// libjpeg are given everything, and say whether they came to their end.

inline bool decode_jpeg(std::FILE* file, JpegErrors& errors, Picture& picture) {
  jpeg_decompress_struct jpeg{};
  errors.attach(jpeg);
  if (setjmp(errors.out) != 0) {
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_stdio_src(&jpeg, file);
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&jpeg);
  picture.width = jpeg.output_width;
  picture.height = jpeg.output_height;
  picture.bytes.resize(picture.row() * picture.height);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = picture.bytes.data() + jpeg.output_scanline * picture.row();
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return true;
}

inline bool encode_jpeg(std::FILE* file, JpegErrors& errors, const Picture& picture) {
  jpeg_compress_struct jpeg{};
  errors.attach(jpeg);
  if (setjmp(errors.out) != 0) {
    jpeg_destroy_compress(&jpeg);
    return false;
  }
  jpeg_create_compress(&jpeg);
  jpeg_stdio_dest(&jpeg, file);
  jpeg.image_width = static_cast<JDIMENSION>(picture.width);
  jpeg.image_height = static_cast<JDIMENSION>(picture.height);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row =
        const_cast<std::uint8_t*>(picture.bytes.data()) + jpeg.next_scanline * picture.row();
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  return true;
}

inline Picture read_jpeg(const std::string& path) {
  const File file = open(path, "rbe");
  JpegErrors errors{};
  Picture picture;
  if (!decode_jpeg(file.get(), errors, picture)) throw std::runtime_error(errors.text);
  return picture;
}

inline void write_jpeg(const Picture& picture, const std::string& path) {
  File file = open(path, "wbe");
  JpegErrors errors{};
  if (!encode_jpeg(file.get(), errors, picture)) throw std::runtime_error(errors.text);
  if (std::fclose(file.release()) != 0) throw std::runtime_error(std::strerror(errno));
}

/// The picture so that neither side is longer than `most`: each point is the mean of those it
/// stands for. One that is small enough stays as it is.
inline Picture shrink(const Picture& from, std::size_t most) {
  const std::size_t longest = std::max(from.width, from.height);
  if (longest <= most) return from;
  Picture to{std::max<std::size_t>(1, from.width * most / longest),
             std::max<std::size_t>(1, from.height * most / longest),
             {}};
  to.bytes.reserve(to.row() * to.height);
  for (std::size_t y = 0; y < to.height; ++y) {
    const std::size_t top = y * from.height / to.height;
    const std::size_t bottom = (y + 1) * from.height / to.height;
    for (std::size_t x = 0; x < to.width; ++x) {
      const std::size_t left = x * from.width / to.width;
      const std::size_t right = (x + 1) * from.width / to.width;
      std::size_t sums[3] = {};
      for (std::size_t v = top; v < bottom; ++v) {
        for (std::size_t u = left; u < right; ++u) {
          for (std::size_t colour = 0; colour < 3; ++colour)
            sums[colour] += from.bytes[v * from.row() + u * 3 + colour];
        }
      }
      for (const std::size_t sum : sums)
        to.bytes.push_back(static_cast<std::uint8_t>(sum / ((bottom - top) * (right - left))));
    }
  }
  return to;
}

}  // namespace thumbnails
