#include "io/oiio_table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <OpenImageIO/color.h>
#include <OpenImageIO/filesystem.h>
#include <OpenImageIO/imagebuf.h>
#include <OpenImageIO/imagebufalgo.h>
#include <OpenImageIO/imageio.h>

namespace
{

/* Nothing escapes, no text is lost. */
template <class Fn> int guarded(dq_err *err, int code, Fn fn) noexcept
{
    try {
        return fn();
    } catch (const std::bad_alloc &) {
        return dq_fail(err, DQ_MEMORY, "no memory for an image");
    } catch (const std::exception &e) {
        return dq_fail(err, code, "%s", e.what());
    } catch (...) {
        return dq_fail(err, DQ_BUG, "an exception without a text");
    }
}

/* The format by content: a name proves nothing, and OpenImageIO would try
 * every decoder that it has on bytes from outside. */
const char *format_of(const void *bytes, size_t count)
{
    static const struct {
        const char *format;
        std::string magic;
    } known[] = {
        {"dpx", "SDPX"},
        {"dpx", "XPDS"},
        {"tiff", std::string("II*\0", 4)},
        {"tiff", std::string("MM\0*", 4)},
        {"tiff", std::string("II+\0", 4)},
        {"tiff", std::string("MM\0+", 4)},
        {"png", std::string("\x89PNG\r\n\x1a\n", 8)},
        {"jpeg", "\xff\xd8\xff"},
    };

    for (const auto &k : known)
        if (count >= k.magic.size() &&
            std::memcmp(bytes, k.magic.data(), k.magic.size()) == 0)
            return k.format;
    return nullptr;
}

} // namespace

struct dq_oiio_image {
    std::string name;
    std::string format;
    std::unique_ptr<OIIO::Filesystem::IOMemReader> reader;
    std::unique_ptr<OIIO::ImageInput> input;
    struct dq_plate_info info {
    };
    struct dq_plate_part part {
    };
    std::vector<struct dq_plate_channel> channels;
    std::vector<std::string> names;
    std::string type;
};

namespace
{

int open_input(dq_oiio_image &im, const void *bytes, size_t count, dq_err *err)
{
    OIIO::ImageSpec config, spec;

    im.reader.reset(
        new OIIO::Filesystem::IOMemReader(const_cast<void *>(bytes), count));
    im.input = OIIO::ImageInput::create(im.format);
    if (!im.input)
        return dq_fail(err, DQ_PLATE, "no decoder for %s: %s",
                       im.format.c_str(), OIIO::geterror().c_str());
    /* Asked to multiply by alpha, it does so in the file's own 8 bits, and
     * dark edges lose their colour for good: we do it in float. */
    config.attribute("oiio:UnassociatedAlpha", 1);
    bool by_proxy = im.input->supports("ioproxy") != 0;
    if (by_proxy)
        by_proxy = im.input->set_ioproxy(im.reader.get());
    if (!im.input->open(im.name, spec, config))
        return dq_fail(err, DQ_PLATE, "%s", im.input->geterror().c_str());
    return DQ_OK;
}

/* Before any pixel is allocated. */
int check_size(const OIIO::ImageSpec &spec, dq_err *err)
{
    const int64_t pixels = int64_t(spec.width) * spec.height;

    if (spec.width < 1 || spec.height < 1 || spec.width > 32768 ||
        spec.height > 32768 || pixels > (int64_t(1) << 28) ||
        spec.nchannels < 1 || spec.nchannels > 1024 || spec.depth > 1)
        return dq_fail(err, DQ_PLATE,
                       "%d x %d pixels of %d channels are outside what "
                       "is read",
                       spec.width, spec.height, spec.nchannels);
    return DQ_OK;
}

const char *encoding_of(const OIIO::ImageSpec &spec)
{
    const std::string space = spec.get_string_attribute("oiio:ColorSpace");

    if (OIIO::Strutil::iequals(space, "Linear"))
        return "lin_rec709_scene";
    if (OIIO::Strutil::icontains(space, "log"))
        return DQ_ENCODED_LOG;
    if (OIIO::Strutil::iequals(space, "Rec709"))
        return DQ_ENCODED_BT709;
    if (OIIO::Strutil::iequals(space, "sRGB") ||
        !spec.format.is_floating_point())
        return "srgb_rec709_scene";
    return "lin_rec709_scene";
}

void fill_info(dq_oiio_image &im, const OIIO::ImageSpec &spec)
{
    im.type = spec.format.c_str();
    for (const auto &n : spec.channelnames)
        im.names.push_back(n);
    for (const auto &n : im.names)
        im.channels.push_back({n.c_str(), im.type.c_str(), 1, 1});
    im.part.name = im.part.view = "";
    im.part.storage = "scanline";
    im.part.compression = "";
    im.part.data = {spec.x, spec.y, spec.x + spec.width - 1,
                    spec.y + spec.height - 1};
    im.part.channel_count = int(im.channels.size());
    im.part.channels = im.channels.data();
    im.info.format = im.format.c_str();
    im.info.display = {spec.full_x, spec.full_y,
                       spec.full_x + std::max(1, spec.full_width) - 1,
                       spec.full_y + std::max(1, spec.full_height) - 1};
    im.info.pixel_aspect = spec.get_float_attribute("PixelAspectRatio", 1.0f);
    if (!(im.info.pixel_aspect > 0.01f && im.info.pixel_aspect < 100.0f))
        im.info.pixel_aspect = 1.0f;
    im.info.part_count = 1;
    im.info.parts = &im.part;
    im.info.interop_id = encoding_of(spec);
}

/* Frames hold colours as EXR does, multiplied by alpha. */
void premultiply(const OIIO::ImageSpec &spec, int colours, size_t n,
                 dq_frame *frame)
{
    const float *alpha = static_cast<float *>(frame->plane[DQ_PLANE_A]);

    if (!alpha || !spec.get_int_attribute("oiio:UnassociatedAlpha"))
        return;
    for (int p = 0; p < colours; p++) {
        float *colour = static_cast<float *>(frame->plane[p]);

        for (size_t i = 0; i < n; i++)
            colour[i] *= alpha[i];
    }
}

int read_planes(dq_oiio_image &im, const dq_plate_choice &choice,
                dq_frame *frame, dq_err *err)
{
    const OIIO::ImageSpec &spec = im.input->spec();
    const size_t n = size_t(spec.width) * size_t(spec.height);
    const size_t c = size_t(spec.nchannels);
    std::vector<float> all(n * c);

    if (!im.input->read_image(0, 0, 0, -1, OIIO::TypeDesc::FLOAT, all.data()))
        return dq_fail(err, DQ_PLATE, "%s", im.input->geterror().c_str());
    for (int p = 0; p < DQ_PLANES; p++) {
        float *to = static_cast<float *>(frame->plane[p]);

        if (!to || choice.channel[p] < 0 || (choice.grey && p != 0 && p != 3))
            continue;
        for (size_t i = 0; i < n; i++)
            to[i] = all[i * c + size_t(choice.channel[p])];
    }
    premultiply(spec, choice.grey ? 1 : 3, n, frame);
    return DQ_OK;
}

} // namespace

static struct dq_oiio_image *plate_open(const void *bytes, size_t count,
                                        const char *name, struct dq_err *err)
{
    const char *format = format_of(bytes, count);
    dq_oiio_image *im = nullptr;

    if (!format) {
        dq_fail(err, DQ_PLATE, "is no EXR, DPX, TIFF, PNG or JPEG file");
        return nullptr;
    }
    const int code = guarded(err, DQ_PLATE, [&]() {
        std::unique_ptr<dq_oiio_image> made(new dq_oiio_image);

        made->name = name;
        made->format = format;
        if (open_input(*made, bytes, count, err) ||
            check_size(made->input->spec(), err))
            return err ? err->code : int(DQ_PLATE);
        fill_info(*made, made->input->spec());
        im = made.release();
        return int(DQ_OK);
    });
    return code ? nullptr : im;
}

static void plate_close(struct dq_oiio_image *image)
{
    delete image;
}

static const struct dq_plate_info *plate_info(const struct dq_oiio_image *image)
{
    return &image->info;
}

static int plate_decode(struct dq_oiio_image *image,
                        const struct dq_plate_choice *choice,
                        struct dq_frame *frame, struct dq_err *err)
{
    return guarded(err, DQ_PLATE, [&]() -> int {
        if (dq_frame_shape(frame, &image->part.data, DQ_PIXEL_FLOAT,
                           choice->grey, choice->channel[DQ_PLANE_A] >= 0, err))
            return DQ_MEMORY;
        frame->display = image->info.display;
        frame->pixel_aspect = image->info.pixel_aspect;
        return read_planes(*image, *choice, frame, err);
    });
}

/* ---- colour -------------------------------------------------------------- */

struct dq_ocio {
    OIIO::ColorProcessorHandle processor;
};

namespace
{

/* Linear Rec.709 as configurations of the last ten years call it. */
const char *const linear_rec709[] = {"lin_rec709_scene",
                                     "lin_rec709",
                                     "Linear Rec.709 (sRGB)",
                                     "Utility - Linear - sRGB",
                                     "Utility - Linear - Rec.709",
                                     "lin_srgb",
                                     "linear"};

bool has_space(const OIIO::ColorConfig &config, const std::string &name)
{
    for (const auto &n : config.getColorSpaceNames())
        if (OIIO::Strutil::iequals(n, name))
            return true;
    return config.getColorSpaceNameByRole(name) != nullptr;
}

std::string some_names(const OIIO::ColorConfig &config)
{
    std::string all;

    for (const auto &n : config.getColorSpaceNames()) {
        if (all.size() > 400)
            return all + ", ...";
        all += (all.empty() ? "" : ", ") + n;
    }
    return all;
}

int make_processor(const char *colorspace, dq_ocio *ocio, dq_err *err)
{
    OIIO::ColorConfig config;

    if (!has_space(config, colorspace))
        return dq_fail(err, DQ_SPEC,
                       "input.colorspace: the OCIO configuration has no "
                       "'%s'; it has %s",
                       colorspace, some_names(config).c_str());
    for (const char *to : linear_rec709) {
        if (!has_space(config, to))
            continue;
        ocio->processor = config.createColorProcessor(colorspace, to);
        if (ocio->processor)
            return DQ_OK;
    }
    return dq_fail(err, DQ_SPEC,
                   "input.colorspace: the OCIO configuration has no linear "
                   "Rec.709 that '%s' can be converted to",
                   colorspace);
}

} // namespace

static struct dq_ocio *ocio_open(const char *colorspace, struct dq_err *err)
{
    dq_ocio *made = nullptr;
    const int code = guarded(err, DQ_SPEC, [&]() {
        std::unique_ptr<dq_ocio> ocio(new dq_ocio);
        const int failed = make_processor(colorspace, ocio.get(), err);

        if (!failed)
            made = ocio.release();
        return failed;
    });
    return code ? nullptr : made;
}

static void ocio_close(struct dq_ocio *ocio)
{
    delete ocio;
}

static int ocio_apply(const struct dq_ocio *ocio, float *rgb, int n,
                      struct dq_err *err)
{
    return guarded(err, DQ_SPEC, [&]() {
        ocio->processor->apply(rgb, n, 1, 3, sizeof(float), 3 * sizeof(float),
                               OIIO::stride_t(n) * 3 * sizeof(float));
        return int(DQ_OK);
    });
}

/* ---- pictures for people ------------------------------------------------- */

static int draw_png(const uint8_t *rgb, int width, int height,
                    struct dq_bytes *out, struct dq_err *err)
{
    return guarded(err, DQ_IO, [&]() -> int {
        std::vector<unsigned char> buffer;
        OIIO::Filesystem::IOVecOutput proxy(buffer);
        auto writer = OIIO::ImageOutput::create("png");
        OIIO::ImageSpec spec(width, height, 3, OIIO::TypeDesc::UINT8);

        if (!writer || !writer->set_ioproxy(&proxy) ||
            !writer->open("picture.png", spec) ||
            !writer->write_image(OIIO::TypeDesc::UINT8, rgb) ||
            !writer->close())
            return dq_fail(err, DQ_IO, "PNG cannot be written: %s",
                           writer ? writer->geterror().c_str()
                                  : OIIO::geterror().c_str());
        out->count = 0;
        dq_bytes_add(out, buffer.data(), buffer.size());
        return DQ_OK;
    });
}

namespace
{

/* The sRGB encoding (IEC 61966-2-1), to 8 bits. */
uint8_t encode_srgb(float v)
{
    float curve =
        v <= 0.0031308F ? 12.92F * v : 1.055F * std::pow(v, 1 / 2.4F) - 0.055F;

    return static_cast<uint8_t>(255 * std::min(std::max(curve, 0.0F), 1.0F) +
                                0.5F);
}

} // namespace

/* The library's map is the published one made linear: screens want it back. */
static int draw_turbo(const float *values, int width, int height, uint8_t *rgb,
                      struct dq_err *err)
{
    return guarded(err, DQ_CONFIG, [&]() -> int {
        OIIO::ImageSpec one(width, height, 1, OIIO::TypeDesc::FLOAT);
        OIIO::ImageSpec three(width, height, 3, OIIO::TypeDesc::FLOAT);
        std::vector<float> linear(3 * static_cast<size_t>(width) *
                                  static_cast<size_t>(height));
        OIIO::ImageBuf in(one, const_cast<float *>(values));
        OIIO::ImageBuf out(three, linear.data());

        if (!OIIO::ImageBufAlgo::color_map(out, in, 0, "turbo",
                                           OIIO::ROI::All(), 1))
            return dq_fail(err, DQ_CONFIG, "colours cannot be mapped: %s",
                           out.geterror().c_str());
        std::transform(linear.begin(), linear.end(), rgb, encode_srgb);
        return DQ_OK;
    });
}

namespace
{

/* OpenImageIO looks for fonts in few places, and not in folders below them. */
std::string find_font()
{
    static const char *const known[] = {
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
        "/usr/share/fonts/liberation-sans/LiberationSans-Regular.ttf"};

    for (const char *path : known)
        if (OIIO::Filesystem::exists(path))
            return path;
    return "";
}

} // namespace

static int draw_text(uint8_t *rgb, int width, int height, int x, int y,
                     const struct dq_letters *letters, const char *text,
                     struct dq_err *err)
{
    return guarded(err, DQ_CONFIG, [&]() -> int {
        OIIO::ImageSpec spec(width, height, 3, OIIO::TypeDesc::UINT8);
        OIIO::ImageBuf picture(spec, rgb);
        const float grey = static_cast<float>(letters->grey) / 255;
        const float colour[] = {grey, grey, grey};

        if (!OIIO::ImageBufAlgo::render_text(
                picture, x, y, text, letters->size, find_font(), colour,
                letters->ends_at_x ? OIIO::ImageBufAlgo::TextAlignX::Right
                                   : OIIO::ImageBufAlgo::TextAlignX::Left,
                OIIO::ImageBufAlgo::TextAlignY::Top, 1))
            return dq_fail(err, DQ_CONFIG, "text cannot be drawn: %s",
                           picture.geterror().c_str());
        return DQ_OK;
    });
}

extern "C" __attribute__((visibility("default")))
const struct dq_oiio_table dq_oiio_table = {
    plate_open, plate_close, plate_info, plate_decode, ocio_open,
    ocio_close, ocio_apply,  draw_png,   draw_turbo,   draw_text};
