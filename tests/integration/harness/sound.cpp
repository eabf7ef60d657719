#include "harness/sound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numbers>
#include <sstream>
#include <stdexcept>

#include "harness/g711.h"

namespace offhook::harness {
namespace {

constexpr double kFullScale = 32768;

double to_dbov(double power) {
    return power <= 0 ? -127 : std::max(-127.0, 10 * std::log10(power));
}

std::size_t frames(double length_s, int rate_hz) {
    return length_s <= 0 ? 0 : static_cast<std::size_t>(std::lround(length_s * rate_hz));
}

std::uint32_t little_endian(const std::string& data, std::size_t at, int count) {
    std::uint32_t value = 0;
    for (int index = count - 1; index >= 0; --index) {
        value =
            (value << 8) | static_cast<std::uint8_t>(data.at(at + static_cast<std::size_t>(index)));
    }
    return value;
}

void put(std::string& data, std::uint32_t value, int count) {
    for (int index = 0; index < count; ++index) {
        data.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (8 * index))));
    }
}

/// Similarity of `piece` with the span of the same length that begins at `heard`.
double similarity_at(std::span<const std::int16_t> piece,
                     const std::int16_t* heard,
                     double piece_energy,
                     std::size_t stride) {
    double product = 0;
    double energy = 0;
    for (std::size_t index = 0; index < piece.size(); index += stride) {
        const double other = heard[index];
        product += piece[index] * other;
        energy += other * other;
    }
    return energy <= 0 ? 0 : product / std::sqrt(energy * piece_energy);
}

double energy_of(std::span<const std::int16_t> samples, std::size_t stride) {
    double energy = 0;
    for (std::size_t index = 0; index < samples.size(); index += stride) {
        energy += double(samples[index]) * samples[index];
    }
    return energy;
}

}  // namespace

Sound Sound::part(double from_s, double to_s) const {
    const std::size_t from = std::min(frames(from_s, rate_hz), samples.size());
    const std::size_t to = std::clamp(frames(to_s, rate_hz), from, samples.size());
    Sound result{rate_hz, {}};
    result.samples.assign(samples.begin() + static_cast<std::ptrdiff_t>(from),
                          samples.begin() + static_cast<std::ptrdiff_t>(to));
    return result;
}

void Sound::append(const Sound& other) {
    if (other.rate_hz != rate_hz) {
        throw std::runtime_error("sounds of different rates");
    }
    samples.insert(samples.end(), other.samples.begin(), other.samples.end());
}

void Sound::append_silence(double length_s) {
    samples.resize(samples.size() + frames(length_s, rate_hz));
}

Sound tone(int rate_hz, double frequency_hz, double length_s, double level) {
    Sound sound{rate_hz, {}};
    sound.samples.resize(frames(length_s, rate_hz));
    const double amplitude = kFullScale * std::sqrt(2) * std::pow(10, level / 20);
    const double ramp = rate_hz * 0.005;
    for (std::size_t index = 0; index < sound.samples.size(); ++index) {
        // 5 ms ramps: a click would spread over all frequencies.
        const double edge = std::min(double(index), double(sound.samples.size() - 1 - index));
        const double gain = std::min(1.0, edge / ramp);
        const double phase = 2 * std::numbers::pi * frequency_hz * double(index) / rate_hz;
        sound.samples[index] =
            static_cast<std::int16_t>(std::lround(gain * amplitude * std::sin(phase)));
    }
    return sound;
}

Sound speech(const TempDir& folder, int rate_hz, const std::string& words) {
    const std::string raw = (folder / "espeak.wav").string();
    const std::string wav = (folder / "speech.wav").string();
    run({"espeak-ng", "-v", "en-us", "-s", "130", "-g", "20", "-w", raw, words});
    run({"sox", "-D", raw, "-r", std::to_string(rate_hz), "-c", "1", "-b", "16", wav});
    return read_wav(wav);
}

Sound spoken(const TempDir& folder, int rate_hz) {
    Sound sound{rate_hz, {}};
    for (const std::string& word : kWords) {
        sound.append_silence(0.3);
        sound.append(speech(folder, rate_hz, word));
        sound.append_silence(0.3);
    }
    // Whole packets, so that who repeats it adds nothing between two rounds.
    const std::size_t packet = static_cast<std::size_t>(rate_hz) / 50;
    sound.samples.resize((sound.samples.size() + packet - 1) / packet * packet);
    return sound;
}

Sound read_wav(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream buffer;
    buffer << file.rdbuf();
    const std::string data = buffer.str();
    if (data.size() < 44 || !data.starts_with("RIFF")) {
        throw std::runtime_error("not a WAV file: " + path.string());
    }
    Sound sound;
    std::uint32_t format = 0;
    std::uint32_t channels = 1;
    for (std::size_t at = 12; at + 8 <= data.size();) {
        const std::string id = data.substr(at, 4);
        // A file whose writer was killed says 0 or the maximum: take what is there.
        const std::size_t told = little_endian(data, at + 4, 4);
        const std::size_t size =
            told == 0 ? data.size() - at - 8 : std::min(told, data.size() - at - 8);
        at += 8;
        if (id == "fmt ") {
            format = little_endian(data, at, 2);
            channels = little_endian(data, at + 2, 2);
            sound.rate_hz = static_cast<int>(little_endian(data, at + 4, 4));
        } else if (id == "data") {
            if (format != 1 || channels == 0) {
                throw std::runtime_error("not 16-bit PCM: " + path.string());
            }
            for (std::size_t byte = at; byte + 2 * channels <= at + size; byte += 2 * channels) {
                sound.samples.push_back(static_cast<std::int16_t>(little_endian(data, byte, 2)));
            }
        }
        at += size + size % 2;
    }
    return sound;
}

void write_wav(const std::filesystem::path& path, const Sound& sound) {
    const auto bytes = static_cast<std::uint32_t>(sound.samples.size() * 2);
    const auto rate = static_cast<std::uint32_t>(sound.rate_hz);
    std::string data = "RIFF";
    put(data, 36 + bytes, 4);
    data += "WAVEfmt ";
    put(data, 16, 4);
    put(data, 1, 2);
    put(data, 1, 2);
    put(data, rate, 4);
    put(data, rate * 2, 4);
    put(data, 2, 2);
    put(data, 16, 2);
    data += "data";
    put(data, bytes, 4);
    for (const std::int16_t sample : sound.samples) {
        put(data, static_cast<std::uint16_t>(sample), 2);
    }
    std::ofstream(path, std::ios::binary) << data;
}

void write_mulaw(const std::filesystem::path& path, const Sound& sound) {
    std::string data;
    for (const std::int16_t sample : sound.samples) {
        data.push_back(static_cast<char>(mulaw_of(sample)));
    }
    std::ofstream(path, std::ios::binary) << data;
}

double level_dbov(std::span<const std::int16_t> samples) {
    if (samples.empty()) {
        return -127;
    }
    return to_dbov(energy_of(samples, 1) / double(samples.size()) / (kFullScale * kFullScale));
}

double tone_level_dbov(std::span<const std::int16_t> samples, int rate_hz, double frequency_hz) {
    if (samples.empty()) {
        return -127;
    }
    const double coefficient = 2 * std::cos(2 * std::numbers::pi * frequency_hz / rate_hz);
    double before = 0;
    double last = 0;
    for (const std::int16_t sample : samples) {
        const double next = sample + coefficient * last - before;
        before = last;
        last = next;
    }
    const double magnitude = last * last + before * before - coefficient * last * before;
    const double count = double(samples.size());
    return to_dbov(2 * magnitude / (count * count) / (kFullScale * kFullScale));
}

std::vector<HeardTone> heard_tones(const Sound& sound,
                                   const std::vector<double>& frequencies_hz,
                                   double floor_dbov) {
    const std::size_t window = static_cast<std::size_t>(sound.rate_hz) / 100;
    std::vector<HeardTone> heard;
    double running = 0;
    for (std::size_t at = 0; at + window <= sound.samples.size(); at += window) {
        const std::span<const std::int16_t> samples(&sound.samples[at], window);
        double best_hz = 0;
        double best_dbov = floor_dbov;
        for (const double frequency : frequencies_hz) {
            const double level = tone_level_dbov(samples, sound.rate_hz, frequency);
            if (level > best_dbov) {
                best_dbov = level;
                best_hz = frequency;
            }
        }
        if (best_hz > 0 && best_dbov < level_dbov(samples) - 3) {
            best_hz = 0;
        }
        if (best_hz > 0 && best_hz == running) {
            heard.back().length_s += 0.01;
        } else if (best_hz > 0) {
            heard.push_back({best_hz, double(at) / sound.rate_hz, 0.01});
        }
        running = best_hz;
    }
    // A window astride the edge of two tones may show a third; no tone that was sent is that short.
    std::erase_if(heard, [](const HeardTone& one) { return one.length_s < 0.025; });
    return heard;
}

std::vector<Match> align(const Sound& sent,
                         const Sound& heard,
                         double piece_s,
                         double max_delay_s) {
    if (sent.rate_hz != heard.rate_hz) {
        throw std::runtime_error("sounds of different rates");
    }
    const std::size_t length = frames(piece_s, sent.rate_hz);
    const std::size_t reach = frames(max_delay_s, sent.rate_hz);
    std::vector<Match> matches;
    for (std::size_t at = 0; at + length <= sent.samples.size(); at += length) {
        const std::span<const std::int16_t> piece(&sent.samples[at], length);
        if (level_dbov(piece) < -45) {
            continue;
        }
        Match match{double(at) / sent.rate_hz, 0, -1};
        // Coarse on every fourth sample, then exact around the best.
        constexpr std::size_t kStride = 4;
        const double coarse_energy = energy_of(piece, kStride);
        std::size_t best = at;
        for (std::size_t start = at; start <= at + reach && start + length <= heard.samples.size();
             ++start) {
            const double similarity =
                similarity_at(piece, &heard.samples[start], coarse_energy, kStride);
            if (similarity > match.similarity) {
                match.similarity = similarity;
                best = start;
            }
        }
        if (best + length <= heard.samples.size()) {
            match.similarity = similarity_at(piece, &heard.samples[best], energy_of(piece, 1), 1);
            match.delay_s = double(best - at) / sent.rate_hz;
        }
        matches.push_back(match);
    }
    return matches;
}

namespace {

/// Stretches louder than -45 dBov, joined over pauses inside a word, with 0.2 s of quiet around.
std::vector<Sound> stretches(const Sound& sound) {
    constexpr double kWindow_s = 0.02;
    constexpr double kPause_s = 0.25;
    constexpr double kEdge_s = 0.2;
    std::vector<std::pair<double, double>> found;
    for (double at = 0; at < sound.seconds(); at += kWindow_s) {
        if (level_dbov(sound.part(at, at + kWindow_s).samples) < -45) {
            continue;
        }
        if (!found.empty() && at - found.back().second < kPause_s) {
            found.back().second = at + kWindow_s;
        } else {
            found.emplace_back(at, at + kWindow_s);
        }
    }
    std::vector<Sound> result;
    for (const auto& [from, to] : found) {
        Sound one{sound.rate_hz, {}};
        one.append_silence(kEdge_s);
        one.append(sound.part(from - 0.05, to + 0.05));
        one.append_silence(kEdge_s);
        result.push_back(std::move(one));
    }
    return result;
}

}  // namespace

std::vector<std::string> heard_words(const TempDir& folder, const Sound& sound) {
    const std::string wav = (folder / "word.wav").string();
    const std::string wide = (folder / "word-16k.wav").string();
    const std::string grammar = (folder / "words.gram").string();
    std::ofstream file(grammar);
    file << "#JSGF V1.0;\ngrammar words;\npublic <word> = ";
    for (const std::string& word : kWords) {
        file << (&word == &kWords.front() ? "" : " | ") << word;
    }
    file << ";\n";
    file.close();
    std::vector<std::string> heard;
    for (const Sound& stretch : stretches(sound)) {
        write_wav(wav, stretch);
        run({"sox", "-D", wav, "-r", "16000", wide});
        std::istringstream words(run({"pocketsphinx_continuous",
                                      "-infile",
                                      wide,
                                      "-jsgf",
                                      grammar,
                                      "-logfn",
                                      "/dev/null",
                                      "-beam",
                                      "1e-150",
                                      "-wbeam",
                                      "1e-120",
                                      "-pbeam",
                                      "1e-150",
                                      "-bestpath",
                                      "no",
                                      "-maxhmmpf",
                                      "-1",
                                      "-remove_noise",
                                      "no",
                                      "-remove_silence",
                                      "no"},
                                     seconds(60)));
        for (std::string word; words >> word;) {
            heard.push_back(word);
        }
    }
    return heard;
}

}  // namespace offhook::harness
