#include "harness/web_peer_sdp.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <sstream>
#include <vector>

namespace offhook::harness {
namespace {

std::vector<std::string> lines_of(const std::string& sdp) {
    std::vector<std::string> lines;
    std::istringstream stream(sdp);
    for (std::string line; std::getline(stream, line);) {
        while (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        if (!line.empty()) {
            lines.push_back(line);
        }
    }
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string sdp;
    for (const std::string& line : lines) {
        sdp += line + "\r\n";
    }
    return sdp;
}

std::string each_line(const std::string& sdp, const std::function<void(std::string&)>& change) {
    std::vector<std::string> lines = lines_of(sdp);
    std::for_each(lines.begin(), lines.end(), change);
    return joined(lines);
}

bool equals_ignoring_case(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

bool is_direction(const std::string& line) {
    return line == "a=sendrecv" || line == "a=sendonly" || line == "a=recvonly" ||
           line == "a=inactive";
}

}  // namespace

std::string with_wrong_fingerprint(std::string sdp) {
    return each_line(sdp, [](std::string& line) {
        if (!line.starts_with("a=fingerprint:")) {
            return;
        }
        // The first digit of the hash: 8 more, modulo 16.
        char& digit = line.at(line.find(' ') + 1);
        constexpr std::string_view kDigits = "0123456789ABCDEF";
        const auto value =
            kDigits.find(static_cast<char>(std::toupper(static_cast<unsigned char>(digit))));
        digit = kDigits.at((value + 8) % 16);
    });
}

std::string with_direction(std::string sdp, std::string_view direction) {
    return each_line(sdp, [&](std::string& line) {
        if (is_direction(line)) {
            line = "a=" + std::string(direction);
        }
    });
}

std::string with_version(std::string sdp, int version) {
    return each_line(sdp, [&](std::string& line) {
        if (line.starts_with("o=")) {
            std::istringstream words(line);
            std::string user, id, old, rest;
            words >> user >> id >> old;
            std::getline(words, rest);
            line = user + " " + id + " " + std::to_string(version) + rest;
        }
    });
}

std::string with_telephone_event(std::string sdp, int payload_type, int clock_rate_hz) {
    const std::string number = std::to_string(payload_type);
    std::vector<std::string> lines = lines_of(sdp);
    for (std::string& line : lines) {
        if (line.starts_with("m=audio ")) {
            line += " " + number;
        }
    }
    lines.push_back("a=rtpmap:" + number + " telephone-event/" + std::to_string(clock_rate_hz));
    lines.push_back("a=fmtp:" + number + " 0-15");
    return joined(lines);
}

int payload_type_of(const std::string& sdp, std::string_view encoding, int clock_rate_hz) {
    const std::string rate = "/" + std::to_string(clock_rate_hz);
    std::istringstream maps(attributes(sdp, "rtpmap"));
    for (std::string map; std::getline(maps, map);) {
        const std::size_t space = map.find(' ');
        const std::size_t slash = map.find('/');
        if (space == std::string::npos || slash == std::string::npos || slash < space) {
            continue;
        }
        const std::string tail = map.substr(slash);
        if (equals_ignoring_case(map.substr(space + 1, slash - space - 1), encoding) &&
            (tail == rate || tail.starts_with(rate + "/"))) {
            return std::atoi(map.c_str());
        }
    }
    for (const std::string& line : lines_of(sdp)) {
        if (line.starts_with("m=audio ")) {
            std::istringstream words(line);
            std::string skipped;
            words >> skipped >> skipped >> skipped;
            for (int number = 0; words >> number;) {
                if ((number == 0 && encoding == "PCMU") || (number == 8 && encoding == "PCMA")) {
                    return number;
                }
            }
        }
    }
    return -1;
}

std::string reduced(const std::string& sdp, int payload_type) {
    const std::string number = std::to_string(payload_type);
    std::vector<std::string> kept;
    enum class Where { Session, Audio, Other } where = Where::Session;
    for (const std::string& line : lines_of(sdp)) {
        if (line.starts_with("m=")) {
            where = where == Where::Session && line.starts_with("m=audio ") ? Where::Audio
                                                                            : Where::Other;
            if (where == Where::Audio) {
                std::istringstream words(line);
                std::string media, port, protocol;
                words >> media >> port >> protocol;
                kept.push_back(media + " " + port + " " + protocol + " " + number);
            }
            continue;
        }
        if (where == Where::Other || line.starts_with("a=extmap") || line.starts_with("a=fmtp:") ||
            line.starts_with("a=rtcp-fb:") ||
            (line.starts_with("a=rtpmap:") && !line.starts_with("a=rtpmap:" + number + " "))) {
            continue;
        }
        kept.push_back(line);
    }
    return joined(kept);
}

std::string with_fragment(const std::string& sdp, const std::string& fragment) {
    const auto changes = [](const std::string& line) {
        constexpr std::array<std::string_view, 6> kNames{"a=ice-ufrag:",
                                                         "a=ice-pwd:",
                                                         "a=candidate:",
                                                         "a=fingerprint:",
                                                         "a=setup:",
                                                         "a=end-of-candidates"};
        return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) {
            return line.starts_with(name);
        });
    };
    std::vector<std::string> lines = lines_of(sdp);
    std::erase_if(lines, changes);
    for (const std::string& line : lines_of(fragment)) {
        if (changes(line)) {
            lines.push_back(line);
        }
    }
    return joined(lines);
}

std::string attributes(const std::string& sdp, std::string_view name) {
    const std::string start = "a=" + std::string(name) + ":";
    std::string values;
    for (const std::string& line : lines_of(sdp)) {
        if (line.starts_with(start)) {
            values += (values.empty() ? "" : "\n") + line.substr(start.size());
        }
    }
    return values;
}

std::string attribute(const std::string& sdp, std::string_view name) {
    const std::string values = attributes(sdp, name);
    return values.substr(0, values.find('\n'));
}

}  // namespace offhook::harness
